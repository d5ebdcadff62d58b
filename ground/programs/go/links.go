// Checks links with 16 goroutines: links URL COUNT
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
)

const workers = 16

func check(client *http.Client, url string) (int, error) {
	response, err := client.Get(url)
	if err != nil {
		return 0, err
	}
	io.CopyN(io.Discard, response.Body, 1)
	return response.StatusCode, response.Body.Close()
}

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	urls := make(chan string)
	var good atomic.Int64
	var group sync.WaitGroup
	for i := 0; i < workers; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for url := range urls {
				status, err := check(client, url)
				if err != nil {
					log.Fatal(err)
				}
				if status == http.StatusOK {
					good.Add(1)
				}
			}
		}()
	}
	for number := 0; number < count; number++ {
		urls <- fmt.Sprintf("%s/bytes/20k?n=%d", os.Args[1], number)
	}
	close(urls)
	group.Wait()
	fmt.Println(good.Load(), "of", count, "links are good")
}

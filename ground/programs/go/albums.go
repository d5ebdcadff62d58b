// Lists albums with 64 goroutines: albums URL COUNT
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
)

const workers = 64

func album(client *http.Client, url string) int64 {
	response, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		log.Fatal(err)
	}
	return n
}

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	transport := &http.Transport{MaxIdleConnsPerHost: workers}
	client := &http.Client{Transport: transport}
	urls := make(chan string)
	sizes := make(chan int64, count)
	var group sync.WaitGroup
	for i := 0; i < workers; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for url := range urls {
				sizes <- album(client, url)
			}
		}()
	}
	for number := 0; number < count; number++ {
		urls <- fmt.Sprintf("%s/json/1k?n=%d", os.Args[1], number)
	}
	close(urls)
	group.Wait()
	close(sizes)
	total := int64(0)
	for size := range sizes {
		total += size
	}
	fmt.Println(count, "albums,", total, "bytes")
}

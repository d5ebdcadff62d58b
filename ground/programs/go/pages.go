// Downloads pages with 24 goroutines: pages URL COUNT
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

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	var total atomic.Int64
	var group sync.WaitGroup
	slots := make(chan struct{}, 24)
	for number := 0; number < count; number++ {
		group.Add(1)
		slots <- struct{}{}
		go func(number int) {
			defer func() { <-slots; group.Done() }()
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			response, err := client.Get(fmt.Sprintf("%s/bytes/2k?n=%d", os.Args[1], number))
			if err != nil {
				log.Fatal(err)
			}
			defer response.Body.Close()
			n, _ := io.Copy(io.Discard, response.Body)
			total.Add(n)
		}(number)
	}
	group.Wait()
	fmt.Println(count, "pages,", total.Load(), "bytes")
}

// Tracks parcels with 24 goroutines and a transport that keeps two connections: parcels URL COUNT
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConns: 100, MaxIdleConnsPerHost: 2}}
	slots := make(chan struct{}, 24)
	var group sync.WaitGroup
	for number := 0; number < count; number++ {
		slots <- struct{}{}
		group.Add(1)
		go func(number int) {
			defer func() { <-slots; group.Done() }()
			response, err := client.Get(fmt.Sprintf("%s/json/1k?n=%d", os.Args[1], number))
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			defer response.Body.Close()
			io.Copy(io.Discard, response.Body)
		}(number)
	}
	group.Wait()
	fmt.Println(count, "parcels")
}

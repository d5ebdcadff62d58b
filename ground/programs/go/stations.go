// Reads the stations of a network with 24 goroutines and one client: stations URL COUNT
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

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	client := &http.Client{Transport: &http.Transport{}}
	sizes := make([]int, count)
	for from := 0; from < count; from += 24 {
		var group sync.WaitGroup
		for number := from; number < from+24 && number < count; number++ {
			group.Add(1)
			go func(number int) {
				defer group.Done()
				response, err := client.Get(fmt.Sprintf("%s/json/1k?n=%d", os.Args[1], number))
				if err != nil {
					log.Fatal(err)
				}
				defer response.Body.Close()
				body, _ := io.ReadAll(response.Body)
				sizes[number] = len(body)
			}(number)
		}
		group.Wait()
	}
	total := 0
	for _, size := range sizes {
		total += size
	}
	fmt.Println(count, "stations,", total, "bytes")
}

// Asks for exchange rates with 32 goroutines, over HTTP/2 where the server has it: rates URL COUNT
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

const workers = 32

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	numbers := make(chan int)
	var group sync.WaitGroup
	for i := 0; i < workers; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for number := range numbers {
				response, err := http.Get(fmt.Sprintf("%s/json/1k?n=%d", os.Args[1], number))
				if err != nil {
					log.Fatal(err)
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		}()
	}
	for number := 0; number < count; number++ {
		numbers <- number
	}
	close(numbers)
	group.Wait()
	fmt.Println(count, "rates")
}

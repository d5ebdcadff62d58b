// Adds up the prices of a list of articles: prices URL COUNT
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
)

func price(base string, article int) int {
	response, err := http.Get(fmt.Sprintf("%s/json/1k?n=%d", base, article))
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	return len(body)
}

func main() {
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	total := 0
	for article := 0; article < count; article++ {
		total += price(os.Args[1], article)
	}
	fmt.Println(count, "articles, total", total)
}

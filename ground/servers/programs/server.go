// Go's net/http, with the answers of answers.py as far as delay_ms, pause_ms, body, status and close go.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

type answer struct {
	DelayMs int  `json:"delay_ms"`
	PauseMs int  `json:"pause_ms"`
	Body    *int `json:"body"`
	Status  int  `json:"status"`
	Close   bool `json:"close"`
}

type settings struct {
	Port    int               `json:"port"`
	Answers map[string]answer `json:"answers"`
	Limit   int               `json:"limit"` // how many are answered at a time
}

func main() {
	var set settings
	if err := json.Unmarshal([]byte(os.Args[1]), &set); err != nil {
		log.Fatal(err)
	}
	if set.Limit == 0 {
		set.Limit = 100000
	}
	places := make(chan struct{}, set.Limit)
	handle := func(w http.ResponseWriter, r *http.Request) {
		value, ok := set.Answers[r.URL.Path]
		if !ok {
			value = set.Answers[""]
		}
		places <- struct{}{}
		time.Sleep(time.Duration(value.DelayMs) * time.Millisecond)
		<-places
		size := 200
		if value.Body != nil {
			size = *value.Body
		}
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Length", strconv.Itoa(size))
		if value.Close {
			w.Header().Set("Connection", "close")
		}
		if value.Status != 0 {
			w.WriteHeader(value.Status)
		}
		if value.PauseMs != 0 {
			http.NewResponseController(w).Flush()
			time.Sleep(time.Duration(value.PauseMs) * time.Millisecond)
		}
		w.Write(bytes.Repeat([]byte("0"), size))
	}
	log.Fatal(http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", set.Port), http.HandlerFunc(handle)))
}

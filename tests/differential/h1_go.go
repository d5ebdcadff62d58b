// SPDX-License-Identifier: MIT

// What h1_ours.c does, by Go's net/http: in the same form, without its last two columns. The fields are
// sorted by name, as Go has no other order.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
)

func tell(method string, response []byte, out *bufio.Writer) {
	request, _ := http.NewRequest(method, "http://h.test/", nil)
	in := bufio.NewReader(bytes.NewReader(response))
	head, err := http.ReadResponse(in, request)
	for err == nil && head.StatusCode < 200 && head.StatusCode != 101 {
		head, err = http.ReadResponse(in, request)
	}
	if err != nil {
		how := "error"
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			how = "closed"
		}
		fmt.Fprintf(out, "%s\t0\t\t\n", how)
		return
	}
	body, err := io.ReadAll(head.Body)
	how := "ok"
	if errors.Is(err, io.ErrUnexpectedEOF) {
		how = "closed"
	} else if err != nil {
		how = "error"
	}
	names := []string{}
	for name := range head.Header {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(out, "%s\t%d\t", how, head.StatusCode)
	for _, name := range names {
		for _, value := range head.Header[name] {
			fmt.Fprintf(out, "%x:%x,", name, value)
		}
	}
	fmt.Fprintf(out, "\t%x\n", body)
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		var method string
		var length int
		if _, err := fmt.Fscanf(in, "%s %d\n", &method, &length); err != nil {
			return
		}
		response := make([]byte, length)
		if _, err := io.ReadFull(in, response); err != nil {
			return
		}
		tell(method, response, out)
	}
}

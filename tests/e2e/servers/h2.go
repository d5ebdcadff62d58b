// A server of Go's net/http for the tests of HTTP/2: server CERTIFICATE_AND_KEY prints its port.
//
// SIGHUP: another server takes over the port, and this one is shut down. SIGTERM: shut down and end.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const patience = 10 * time.Second

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.FormValue(name))
	return n
}

// The n-th byte of every body is n modulo 251.
func pattern(n int) []byte {
	body := make([]byte, n)
	for i := range body {
		body[i] = byte(i % 251)
	}
	return body
}

func write(w http.ResponseWriter, n int) {
	w.Write(pattern(n))
	w.(http.Flusher).Flush()
}

func handlers() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/bytes", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Duration(number(r, "ms")) * time.Millisecond)
		w.Write(pattern(number(r, "n")))
	})
	mux.HandleFunc("/abort", func(w http.ResponseWriter, r *http.Request) {
		write(w, number(r, "n"))
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("before a head") })
	mux.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		for i := 0; i < number(r, "n"); i++ {
			w.WriteHeader(http.StatusEarlyHints)
		}
		io.WriteString(w, "hinted")
	})
	mux.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		write(w, number(r, "n"))
		w.Header().Set("X-Sum", "1")
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < number(r, "n"); i++ {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(time.Duration(number(r, "ms")) * time.Millisecond)
		}
	})
	mux.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, _ := io.Copy(sum, r.Body)
		fmt.Fprintf(w, "%d %x", n, sum.Sum(nil))
	})
	mux.HandleFunc("/unread", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.FormValue("url"), http.StatusFound)
	})
	return mux
}

func serve(listener net.Listener, certificate string) *http.Server {
	server := &http.Server{Handler: handlers(), ReadTimeout: patience}
	server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100}
	go server.ServeTLS(listener, certificate, certificate)
	return server
}

func shutDown(server *http.Server) {
	until, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server.Shutdown(until)
}

// Another listener on the same socket, which outlives the one that a server closes.
func another(of *net.TCPListener) *net.TCPListener {
	file, err := of.File()
	if err != nil {
		panic(err)
	}
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		panic(err)
	}
	return listener.(*net.TCPListener)
}

func main() {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	listener := first.(*net.TCPListener)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM)
	next := another(listener)
	server := serve(listener, os.Args[1])
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for got := range signals {
		if got == syscall.SIGTERM {
			shutDown(server)
			return
		}
		before, here := server, next
		next = another(here)
		server = serve(here, os.Args[1])
		go shutDown(before)
	}
}

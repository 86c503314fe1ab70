// Go's net/http: client ADDRESS
package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync"
	"time"
)

var base string

func check(ok bool, what ...any) {
	if !ok {
		fmt.Println(what...)
		os.Exit(1)
	}
}

// Asks, and says whether the connection had been used before.
func ask(client *http.Client, method, path string, body io.Reader, expects bool) (int, []byte, bool) {
	reused := false
	request, err := http.NewRequest(method, base+path, body)
	check(err == nil, err)
	if expects {
		request.Header.Set("Expect", "100-continue")
	}
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), trace))
	answer, err := client.Do(request)
	check(err == nil, method, path, err)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	check(err == nil, method, path, err)
	return answer.StatusCode, content, reused
}

func main() {
	base = "http://" + os.Args[1]
	large := make([]byte, 3_000_000)
	_, _ = rand.Read(large)
	client := &http.Client{
		Timeout:   20 * time.Second,
		Transport: &http.Transport{ExpectContinueTimeout: 5 * time.Second, MaxIdleConnsPerHost: 100},
	}
	rows := []struct {
		method, path string
		body         func() io.Reader
		expects      bool
		status       int
		content      []byte
	}{
		{"GET", "/hello", nil, false, 200, []byte("hello")},
		{"HEAD", "/hello", nil, false, 200, []byte{}},
		{"GET", "/none", nil, false, 404, nil},
		{"GET", "/", nil, false, 200, nil},
		{"POST", "/hello", func() io.Reader { return bytes.NewReader([]byte("unread")) }, false, 405, nil},
		{"POST", "/echo", func() io.Reader { return bytes.NewReader(large) }, false, 200, large},
		{"POST", "/echo", func() io.Reader { return io.MultiReader(bytes.NewReader(large)) }, false, 200, large},
		{"POST", "/echo", func() io.Reader { return bytes.NewReader(large) }, true, 200, large},
		{"POST", "/echo", func() io.Reader { return io.MultiReader(bytes.NewReader(large)) }, true, 200, large},
		{"GET", "/hello?50%25", nil, false, 200, []byte("hello")},
	}
	for i, row := range rows {
		var body io.Reader
		if row.body != nil {
			body = row.body()
		}
		status, content, reused := ask(client, row.method, row.path, body, row.expects)
		check(status == row.status, row.method, row.path, status)
		check(row.content == nil || bytes.Equal(content, row.content), row.method, row.path, len(content), "bytes")
		check(reused == (i > 0), row.method, row.path, "reused:", reused)
	}
	var group sync.WaitGroup
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			text := []byte(fmt.Sprint(i))
			_, content, _ := ask(client, "POST", "/echo", bytes.NewReader(text), i%2 == 0)
			check(bytes.Equal(content, text), "echo", string(content))
		}(i)
	}
	group.Wait()
}

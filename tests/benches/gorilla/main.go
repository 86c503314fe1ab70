// S13 as users of gorilla/websocket write it: 8 goroutines and a ping timer write to one connection. Prints the address, and
// for each connection how many writes panicked.
//
//	unlocked   no lock, as in the programs that failed
//	mutex      one mutex for each connection
//
// Nobody who writes such a program recovers panics: there the first one ends the process. Here they are counted, and the
// goroutine goes on with its next message.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	producers = 8
	each      = 1000
	length    = 102
	ping      = 200 * time.Microsecond
)

// The same bytes as in tests/adapters/tests/many_writers/judge.rs.
func message(producer, index int) []byte {
	text := []byte(fmt.Sprintf("%d %d ", producer, index))
	for len(text) < length {
		text = append(text, byte('a'+(producer*31+index*7+len(text))%26))
	}
	return text
}

type writer struct {
	ws     *websocket.Conn
	lock   sync.Locker
	panics atomic.Int64
}

// Writes one message. Whether it failed shows at the client.
func (w *writer) write(kind int, data []byte) {
	w.lock.Lock()
	defer w.lock.Unlock()
	defer func() {
		if recover() != nil {
			w.panics.Add(1)
		}
	}()
	w.ws.WriteMessage(kind, data)
}

type unlocked struct{}

func (unlocked) Lock()   {}
func (unlocked) Unlock() {}

func produce(ws *websocket.Conn, lock sync.Locker) {
	defer ws.Close()
	w := &writer{ws: ws, lock: lock}
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		for {
			if _, _, err := ws.ReadMessage(); err != nil {
				return
			}
		}
	}()
	var busy sync.WaitGroup
	for producer := 0; producer < producers; producer++ {
		busy.Add(1)
		go func(producer int) {
			defer busy.Done()
			for index := 0; index < each; index++ {
				w.write(websocket.TextMessage, message(producer, index))
			}
		}(producer)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		timer := time.NewTicker(ping)
		defer timer.Stop()
		for {
			select {
			case <-stop:
				return
			case <-timer.C:
				w.write(websocket.PingMessage, nil)
			}
		}
	}()
	busy.Wait()
	close(stop)
	<-stopped
	w.write(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	select {
	case <-reading:
	case <-time.After(2 * time.Second):
	}
	fmt.Println(w.panics.Load())
}

func main() {
	if len(os.Args) != 2 || (os.Args[1] != "unlocked" && os.Args[1] != "mutex") {
		fmt.Fprintln(os.Stderr, "gorilla unlocked|mutex")
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	upgrader := websocket.Upgrader{}
	http.Serve(listener, http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		ws, err := upgrader.Upgrade(response, request, nil)
		if err != nil {
			return
		}
		var lock sync.Locker = unlocked{}
		if os.Args[1] == "mutex" {
			lock = &sync.Mutex{}
		}
		produce(ws, lock)
	}))
}

package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// path is where the servers have their WebSockets.
const path = "/ws"

// patience is how long a handshake may take.
const patience = 5 * time.Minute

// The opcodes of control frames (RFC 6455, section 5.2).
const (
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa
)

// socket is a client's WebSocket that never sends a message, and takes little
// memory.
type socket struct {
	conn net.Conn
	in   *bufio.Reader
}

// dial opens a socket, with a token unless that is empty.
func dial(ctx context.Context, target, token string) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", target)
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, in: bufio.NewReaderSize(conn, 256)}
	if err := s.handshake(target, token); err != nil {
		return nil, fmt.Errorf("%w (%w)", err, conn.Close())
	}
	return s, nil
}

func (s *socket) handshake(target, token string) error {
	if err := s.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	var request strings.Builder
	fmt.Fprintf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: idlebench\r\n", path, target)
	fmt.Fprintf(&request, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
	fmt.Fprintf(&request, "Sec-WebSocket-Key: %s\r\n", base64.StdEncoding.EncodeToString(nonce))
	if token != "" {
		fmt.Fprintf(&request, "Authorization: Bearer %s\r\n", token)
	}
	if _, err := io.WriteString(s.conn, request.String()+"\r\n"); err != nil {
		return err
	}
	res, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return err
	}
	_ = res.Body.Close() // there is none after 101
	if res.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the handshake is answered with %s", res.Status)
	}
	return s.conn.SetDeadline(time.Time{})
}

// serve answers pings until the connection ends, and returns why it did. The
// servers send control frames alone.
func (s *socket) serve() error {
	for {
		var head [2]byte
		if _, err := io.ReadFull(s.in, head[:]); err != nil {
			return err
		}
		opcode, size := head[0]&0xf, head[1]
		if opcode < opClose || size > 125 {
			return fmt.Errorf("frame that begins with %#x is no control frame", head)
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(s.in, payload); err != nil {
			return err
		}
		switch opcode {
		case opPing:
			pong := []byte{0x80 | opPong, 0x80 | size, 0, 0, 0, 0} // a mask of zeros changes nothing
			if _, err := s.conn.Write(append(pong, payload...)); err != nil {
				return err
			}
		case opClose:
			if size < 2 {
				return errors.New("closed by the server")
			}
			return fmt.Errorf("closed by the server: %d %s", binary.BigEndian.Uint16(payload), payload[2:])
		}
	}
}

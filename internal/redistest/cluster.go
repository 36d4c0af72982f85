package redistest

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
)

const (
	clusterPrimaries = 3
	clusterSlots     = 16384
)

// Cluster is a Redis Cluster of three primaries with a replica each. Its nodes are patient with each other, so that
// none is replaced because the machine is busy. After Hasten, a primary that dies is replaced by its replica within a
// few seconds.
type Cluster struct {
	t     testing.TB
	nodes []*Server
}

// StartCluster starts a Redis Cluster and waits until every node is content with it. The arguments are options of
// redis-server for every node.
func StartCluster(t testing.TB, args ...string) *Cluster {
	t.Helper()

	c := &Cluster{t: t}
	args = append([]string{
		"--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0",
	}, args...)
	for range 2 * clusterPrimaries {
		c.nodes = append(c.nodes, Start(t, args...))
	}
	c.share()
	c.introduce()
	c.replicate()
	for range 2 { // a node may have been replaced before all were patient
		for _, s := range c.nodes {
			until(t, "the cluster is ready", func() error { return c.ready(s) })
		}
		c.setTimeout("60000")
	}
	return c
}

func (c *Cluster) setTimeout(milliseconds string) {
	c.t.Helper()
	for _, s := range c.nodes {
		s.Command(c.t, "CONFIG", "SET", "cluster-node-timeout", milliseconds)
	}
}

// Hasten makes the nodes replace a primary that is silent for a second.
func (c *Cluster) Hasten() {
	c.t.Helper()
	c.setTimeout("1000")
}

// Failover makes a replica the primary, in agreement with the one that it follows.
func (c *Cluster) Failover(replica *Server) {
	c.t.Helper()
	const again = 600 // attempts, which take longer than the nodes wait for each other
	i := 0
	until(c.t, "the replica takes over", func() error {
		if replica.Role() == "master" {
			return nil
		}
		if i%again == 0 {
			_, _ = replica.ask("CLUSTER", "FAILOVER") // It fails if the replica has taken over.
		}
		i++
		return errors.New("it follows still")
	})
}

// share divides the slots among the first nodes.
func (c *Cluster) share() {
	c.t.Helper()
	for i, s := range c.nodes {
		// Epochs that differ from the beginning need not be sorted out by the nodes.
		s.Command(c.t, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i >= clusterPrimaries {
			continue
		}
		add := []string{"CLUSTER", "ADDSLOTS"}
		for slot := i * clusterSlots / clusterPrimaries; slot < (i+1)*clusterSlots/clusterPrimaries; slot++ {
			add = append(add, strconv.Itoa(slot))
		}
		s.Command(c.t, add...)
	}
}

// introduce makes every node known to every other.
func (c *Cluster) introduce() {
	c.t.Helper()
	for i, s := range c.nodes {
		for _, other := range c.nodes[:i] {
			host, port, _ := net.SplitHostPort(other.Addr())
			s.Command(c.t, "CLUSTER", "MEET", host, port)
		}
	}
	for _, s := range c.nodes {
		until(c.t, "the nodes know each other", func() error {
			nodes, err := s.ask("CLUSTER", "NODES")
			if err == nil && (strings.Count(nodes, " connected") != len(c.nodes) || strings.Contains(nodes, "handshake")) {
				return fmt.Errorf("not all are connected:\n%s", nodes)
			}
			return err
		})
	}
}

// replicate makes each node of the second half a replica of one of the first.
func (c *Cluster) replicate() {
	c.t.Helper()
	for i, primary := range c.nodes[:clusterPrimaries] {
		c.nodes[clusterPrimaries+i].Command(c.t, "CLUSTER", "REPLICATE", primary.Command(c.t, "CLUSTER", "MYID"))
	}
}

// ready reports why a node does not work yet, or does not know of all that do.
func (c *Cluster) ready(s *Server) error {
	info, err := s.ask("CLUSTER", "INFO")
	if err != nil {
		return err
	}
	if !strings.Contains(info, "cluster_state:ok") {
		return fmt.Errorf("not ok:\n%s", info)
	}
	nodes, err := s.ask("CLUSTER", "NODES")
	if err != nil {
		return err
	}
	if strings.Count(nodes, "slave") != len(c.nodes)-clusterPrimaries || strings.Contains(nodes, "fail") {
		return fmt.Errorf("not all replicas are known:\n%s", nodes)
	}
	if s.Role() == "slave" {
		return s.linked()
	}
	return s.info("replication", "connected_slaves:1")
}

// Addrs returns the addresses of all nodes.
func (c *Cluster) Addrs() []string { return addrs(c.nodes) }

// Nodes returns all nodes, those that are down included.
func (c *Cluster) Nodes() []*Server { return c.nodes }

// Primaries returns the nodes that are up and take themselves for primaries.
func (c *Cluster) Primaries() []*Server { return c.withRole("master") }

// Replicas returns the nodes that are up and take themselves for replicas.
func (c *Cluster) Replicas() []*Server { return c.withRole("slave") }

// PrimaryOf returns the node that serves a key.
func (c *Cluster) PrimaryOf(key string) *Server {
	c.t.Helper()
	var found *Server
	until(c.t, "a node serves the key "+key, func() (err error) {
		for _, s := range c.nodes {
			if _, err = s.ask("EXISTS", key); err == nil { // the others say that it is elsewhere
				found = s
				break
			}
		}
		return err
	})
	return found
}

func (c *Cluster) withRole(role string) []*Server {
	var found []*Server
	for _, s := range c.nodes {
		if s.Role() == role {
			found = append(found, s)
		}
	}
	return found
}

func addrs(servers []*Server) []string {
	list := make([]string, len(servers))
	for i, s := range servers {
		list[i] = s.Addr()
	}
	return list
}

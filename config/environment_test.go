package config

import (
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// TestOneUnderscore writes the variable of every key with one underscore where two belong, and
// with three.
func TestOneUnderscore(t *testing.T) {
	t.Parallel()
	for _, key := range schemaOf(newConfig()).keys() {
		right := variableName(key)
		for _, wrong := range []string{strings.ReplaceAll(right, "__", "_"), strings.ReplaceAll(right, "__", "___"), strings.ToLower(right)} {
			wrong = EnvPrefix + wrong[len(EnvPrefix):]
			_, _, err := load([]string{wrong + "=x"}, nil)
			wantProblem(t, err, wrong+": ")
			wantProblem(t, err, "; did you mean "+right+"?")
		}
	}
}

// serviceVariables returns what Kubernetes puts into the environment of a pod for a Service with
// this name in upper case, see pkg/kubelet/envvars of Kubernetes.
func serviceVariables(name string) []string {
	all := []string{
		"_SERVICE_HOST=10.96.0.17", "_SERVICE_PORT=8080", "_SERVICE_PORT_HTTP=8080", "_SERVICE_PORT_HTTPS_ALT_2=8443",
		"_PORT=tcp://10.96.0.17:8080",
	}
	for _, protocol := range []string{"tcp", "udp", "sctp"} {
		port := "_PORT_8080_" + strings.ToUpper(protocol)
		all = append(all, port+"="+protocol+"://10.96.0.17:8080", port+"_PROTO="+protocol, port+"_PORT=8080", port+"_ADDR=10.96.0.17")
	}
	all = append(all, "_SERVICE_HOST=fd00::17", "_PORT=udp://[fd00::17]:53", "_PORT_53_UDP=udp://[fd00::17]:53", "_PORT_53_UDP_ADDR=fd00::17")
	for i := range all {
		all[i] = name + all[i]
	}
	return all
}

// TestKubernetesServices ignores the variables of Services whose names begin like ours, those with
// the names of sections and keys among them.
func TestKubernetesServices(t *testing.T) {
	t.Parallel()
	names := []string{"PASETOKIT", "PASETOKIT_WEB", "PASETOKIT_TOKEN", "PASETOKIT__TOKEN", "PASETOKIT_TOKEN__KEYS", "PASETOKIT_V2__", "PASETOKIT_PORT"}
	for _, key := range schemaOf(newConfig()).keys() {
		names = append(names, variableName(key))
	}
	for _, name := range names {
		cfg, sources, err := load(serviceVariables(name), nil)
		if err != nil || len(sources) > 0 {
			t.Errorf("%s: error %v, sources %v", name, err, sources)
			continue
		}
		wantConfig(t, cfg, newConfig())
	}
}

// TestNoKubernetesService refuses what only resembles the variables of Services.
func TestNoKubernetesService(t *testing.T) {
	t.Parallel()
	for _, variable := range []string{
		"PASETOKIT_PORT=8080", "PASETOKIT_PORT=", "PASETOKIT_PORT=http://10.0.0.1:80", "PASETOKIT_PORT=tcp://10.0.0.1",
		"PASETOKIT_PORT=tcp://example.com:80", "PASETOKIT_PORT=tcp://10.0.0.1:80/", "PASETOKIT_port=tcp://10.0.0.1:80",
		"PASETOKIT_SERVICE_HOST=example.com", "PASETOKIT_SERVICE_HOST=", "PASETOKIT_SERVICE_HOST_X=10.0.0.1",
		"PASETOKIT_SERVICE_PORT=http", "PASETOKIT_SERVICE_PORT=70000", "PASETOKIT_SERVICE_PORT_=80", "PASETOKIT_SERVICE_PORT_HTTP=tcp",
		"PASETOKIT_PORT_80_TCP=udp://10.0.0.1:80", "PASETOKIT_PORT_80_TCP=tcp://10.0.0.1:81", "PASETOKIT_PORT_80=tcp://10.0.0.1:80",
		"PASETOKIT_PORT_80_TCP_PROTO=udp", "PASETOKIT_PORT_80_TCP_PORT=81", "PASETOKIT_PORT_80_TCP_ADDR=x", "PASETOKIT_PORT_80_QUIC=quic://10.0.0.1:80",
		"PASETOKIT_PORT_HTTP_TCP=tcp://10.0.0.1:80", "PASETOKIT_TOKEN_PORT=5m", "PASETOKIT_SERVICE=10.0.0.1",
	} {
		_, _, err := load([]string{variable}, nil)
		if err == nil {
			t.Errorf("%s is ignored", variable)
		}
	}
}

// TestKeyFilesInTheEnvironment names key files, and a key, in a variable.
func TestKeyFilesInTheEnvironment(t *testing.T) {
	t.Parallel()
	path := write(t, "key", hexKey+"\n")
	cfg, _, err := load([]string{"PASETOKIT_TOKEN__KEYS=file:" + path + ", file: " + path + "," + hexKey}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := newConfig()
	want.Token.Keys = []Key{{File: path}, {File: path}, {Value: paseto.NewSecret(hexKey)}}
	wantConfig(t, cfg, want)
	_, _, err = load([]string{"PASETOKIT_TOKEN__KEYS=file:" + hexKey}, nil)
	wantProblem(t, err, "token.keys[0] (PASETOKIT_TOKEN__KEYS): expected where the key is, and not a key itself")
	if strings.Contains(err.Error(), hexKey[8:40]) {
		t.Errorf("the error shows the key: %v", err)
	}
	for _, path := range []string{"auth.key", "/run/secrets/key", "./key", "~/key", "FILE:key", "old/key.pem"} {
		_, _, err = load([]string{"PASETOKIT_TOKEN__KEYS=" + path}, nil)
		wantProblem(t, err, "; a key in a file is written as file: and its path")
	}
	_, _, err = load([]string{"PASETOKIT_TOKEN__KEYS=file:" + path + ","}, nil)
	wantProblem(t, err, "token.keys[1] (PASETOKIT_TOKEN__KEYS): expected the key itself as a string, file:path, ")
	_, _, err = load([]string{"PASETOKIT_TOKEN__KEYS=file:/nonexistent/key"}, nil)
	wantProblem(t, err, "token.keys[0] (PASETOKIT_TOKEN__KEYS): the key file cannot be read: open /nonexistent/key")
}

package cluster

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/leadsman-dev/leadsman/test/cluster/pki"
)

// user is someone who may talk to the API server.
type user struct {
	name   string
	groups []string
}

// users are the components and the administrator, by the name of their
// kubeconfig. What each may do is bootstrapped by the API server itself
// (kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
func users() map[string]user {
	u := map[string]user{
		"admin":                   {"admin", []string{"system:masters"}},
		"kube-controller-manager": {"system:kube-controller-manager", nil},
		"kube-scheduler":          {"system:kube-scheduler", nil},
		"kube-proxy":              {"system:kube-proxy", nil},
	}
	for _, n := range Nodes() {
		u[n.Name] = user{"system:node:" + n.Name, []string{"system:nodes"}}
	}
	return u
}

// writeAccess makes the certificates, the tokens and the kubeconfigs.
func (f folder) writeAccess() error {
	ca, err := pki.NewAuthority(f.pki(""))
	if err != nil {
		return err
	}
	if err := ca.Server("apiserver", hostIP, apiService, "127.0.0.1", "localhost",
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc."+domain); err != nil {
		return err
	}
	if err := ca.Client("kubelet-client", "kube-apiserver", "system:masters"); err != nil {
		return err
	}
	// With it, the API server calls aggregated APIs in the name of its users.
	if err := ca.Client("front-proxy", "front-proxy"); err != nil {
		return err
	}
	// ServiceAccount tokens are signed with a key that nothing else uses.
	if err := ca.Client("service-account", "service-account"); err != nil {
		return err
	}
	if err := os.MkdirAll(f.join("kubeconfigs"), 0o700); err != nil {
		return fmt.Errorf("write kubeconfigs: %w", err)
	}
	var tokens strings.Builder
	for file, u := range users() {
		token := rand.Text()
		// name,uid and groups of the token file are CSV (--token-auth-file).
		fmt.Fprintf(&tokens, "%s,%s,%s,%q\n", token, u.name, u.name, strings.Join(u.groups, ","))
		if err := f.writeKubeconfig(f.kubeconfigOf(file), u.name, token); err != nil {
			return err
		}
		if file == "admin" {
			if err := f.writeKubeconfig(f.kubeconfig(), u.name, token); err != nil {
				return err
			}
			if err := os.WriteFile(f.join("admin.token"), []byte(token), 0o600); err != nil {
				return fmt.Errorf("write the administrator's token: %w", err)
			}
		}
	}
	if err := os.WriteFile(f.pki("tokens.csv"), []byte(tokens.String()), 0o600); err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	return nil
}

func (f folder) writeKubeconfig(path, user, token string) error {
	ca, err := os.ReadFile(f.pki("ca.crt"))
	if err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	type object = map[string]any
	config := object{ // JSON is YAML
		"apiVersion": "v1", "kind": "Config", "current-context": "leadsman",
		"clusters": []object{{"name": "leadsman", "cluster": object{"server": apiURL, "certificate-authority-data": ca}}},
		"users":    []object{{"name": user, "user": object{"token": token}}},
		"contexts": []object{{"name": "leadsman", "context": object{"cluster": "leadsman", "user": user}}},
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}

package config

import (
	"fmt"
	"regexp"
	"strings"

	"versiond/naming"
)

// TLS sets how clients are served on the public port. Without CertFile they are served by plain HTTP.
type TLS struct {
	CertFile string `yaml:"certFile" example:"/etc/versiond/node1.pem" usage:"certificate of the public port, in PEM; plain HTTP when not set" see:"TLS: operations.md#tls"`
	KeyFile  string `yaml:"keyFile" example:"/etc/versiond/node1-key.pem" usage:"key of that certificate"`
	// ClientCAFile has clients asked for a certificate, which auth.certificates gives a meaning.
	ClientCAFile string `yaml:"clientCAFile" example:"/etc/versiond/ca.pem" usage:"authorities that sign the certificates of clients; clients are asked for none when not set"`
}

// Certificate is what a client may show instead of a token.
type Certificate struct {
	// Name is the common name of the certificate, or one of its alternative names.
	Name string `yaml:"name" example:"ops" usage:"common name of the certificate, or one of its alternative names (DNS, e-mail or URI)"`
	// Role is what the client may do.
	Role naming.Role `yaml:"role" example:"admin" usage:"what it may do: read, write (records too) or admin (the cluster too)"`
}

// parseCertificates reads name:role,... A name may be a URI, which has colons of its own.
func parseCertificates(text string) ([]Certificate, error) {
	var all []Certificate
	for i, part := range parseList(text) {
		at := strings.LastIndex(part, ":")
		if at < 0 {
			return nil, fmt.Errorf("item %d is not in the form name:role", i+1)
		}
		all = append(all, Certificate{Name: part[:at], Role: naming.Role(part[at+1:])})
	}
	return all, nil
}

var certificateName = regexp.MustCompile(`^[!-~]([ -~]{0,126}[!-~])?$`)

// checkCertificates quotes nothing: whoever takes the setting for that of tokens has a secret there.
func (a Auth) checkCertificates(p *problems) {
	names := make(map[string]string)
	for i, c := range a.Certificates {
		key := fmt.Sprintf("auth.certificates[%d].", i)
		if !certificateName.MatchString(c.Name) {
			p.add(key+"name", "has to be 1 to 128 visible ASCII characters")
		}
		if !c.Role.Valid() {
			p.add(key+"role", "has to be one of %s, %s, %s", naming.RoleRead, naming.RoleWrite, naming.RoleAdmin)
		}
		claimUnseen(p, names, c.Name, key+"name")
	}
}

func (t TLS) check(p *problems, certificates []Certificate) {
	checkTogether(p, "tls", [2]string{"certFile", t.CertFile}, [2]string{"keyFile", t.KeyFile})
	switch asked := t.ClientCAFile != ""; {
	case asked && t.CertFile == "":
		p.add("tls.certFile", "is empty, but tls.clientCAFile asks clients for a certificate, which goes with TLS alone")
	case asked && len(certificates) == 0:
		p.add("auth.certificates", "is empty, so that the certificates that tls.clientCAFile asks for would stand for nobody")
	case !asked && len(certificates) > 0:
		p.add("tls.clientCAFile", "is empty, so that no client is asked for one of auth.certificates")
	}
}

// checkTogether wants all of a section's settings or none.
func checkTogether(p *problems, section string, settings ...[2]string) {
	given, missing := "", ""
	for _, s := range settings {
		if s[1] == "" {
			missing = section + "." + s[0]
		} else {
			given = section + "." + s[0]
		}
	}
	if given != "" && missing != "" {
		p.add(missing, "is empty, but %s is given, and they belong together", given)
	}
}

// Unprotected returns the first host outside this machine on which nodes of this process listen, and the settings
// without which they do so without TLS; none when they do not.
func (c Config) Unprotected() (host string, missing []string) {
	host, exposed := c.exposedHost()
	if exposed && c.TLS.CertFile == "" {
		missing = append(missing, "tls.certFile")
	}
	if exposed && c.Cluster.CertFile == "" {
		missing = append(missing, "cluster.certFile")
	}
	return host, missing
}

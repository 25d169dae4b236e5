package controller

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/naming"
)

// Caller is who asks, as far as the node can tell.
type Caller struct {
	// Name is that of the token or the certificate; absent on a node that asks for neither.
	Name string      `json:"name,omitempty"`
	Role naming.Role `json:"role"`
}

// WhoAmI answers whom a request comes from, and what he may do.
func (v *VersionController) WhoAmI(c *gin.Context) {
	if readInput(c).failed() {
		return
	}
	caller, known := Caller{Role: naming.RoleAdmin}, v.access.Load()
	if !known.open() {
		who, err := known.holder(c.Request)
		if err != nil {
			fail(c, err)
			return
		}
		caller = Caller{Name: who.name, Role: who.role}
	}
	answerJSON(c, http.StatusOK, caller)
}

package httpapi

// Routes are all routes with who may call them, for whoever checks that nothing is open by mistake.
func (h *Handler) Routes() map[string]string {
	routes := map[string]string{}
	for pattern, p := range h.policies {
		routes[pattern] = p.String()
	}
	return routes
}

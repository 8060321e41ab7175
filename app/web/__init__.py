"""The pages and the JSON routes: an edge that turns requests into actions, and rows into pages. It never touches a target."""

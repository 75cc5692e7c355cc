"""The web page: templates filled on the server, one module per page. Everything a page shows comes from db readers."""

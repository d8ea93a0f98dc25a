"""What people see of all plugins at once: the values of a report, and the page that is drawn of them."""

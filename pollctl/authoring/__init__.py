"""New plugins from a template, and later changes of the template brought to them."""

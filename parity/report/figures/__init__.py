"""The page's pictures: SVG and HTML whose colours are CSS variables, so that both themes look right."""

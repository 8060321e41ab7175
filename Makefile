# Thin names for those who type make; everything is in ./headgate.
.PHONY: demo test lint bench chaos
demo test lint bench chaos:
	@./headgate $@

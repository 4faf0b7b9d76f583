# Native parts: the BPF object (one translation unit of all probes, by wildcard) and the C shim over a static libbpf.
CLANG ?= clang
CC ?= cc
ARCH := $(shell uname -m)
BPF_ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(ARCH)))
NODE_ARCH := $(patsubst x86_64,x64,$(patsubst aarch64,arm64,$(ARCH)))
PROBES := $(sort $(wildcard bpf/probes/*.bpf.c))
BPF_HEADERS := $(wildcard bpf/*.bpf.h bpf/probes/*.bpf.h bpf/tripwires/*.bpf.h)
OUT := dist/native/linux-$(NODE_ARCH)

BPF_FLAGS := -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Wextra -Werror -Wno-unused-function \
	-Wno-unused-parameter -Wno-compare-distinct-pointer-types -Wno-gnu-variable-sized-type-not-at-end \
	-Wno-address-of-packed-member -Ibpf -Ibpf/probes -I/usr/include/$(ARCH)-linux-gnu

all: $(OUT)/recorder.bpf.o $(OUT)/libflightring.so

# Written anew whenever the set of probe files differs, which no timestamp tells.
build/recorder.bpf.c: FORCE
	@mkdir -p build
	@{ for f in $(PROBES); do echo "#include \"../$$f\""; done; \
	   echo 'char LICENSE[] SEC("license") = "Dual BSD/GPL";'; } > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(OUT)/recorder.bpf.o: build/recorder.bpf.c $(PROBES) $(BPF_HEADERS)
	@mkdir -p $(OUT)
	$(CLANG) $(BPF_FLAGS) -c $< -o build/recorder.debug.o
	# Linking keeps BTF and drops the DWARF that the shim would have to read past.
	bpftool gen object $@ build/recorder.debug.o

build/libbpf.a: $(shell $(CC) -print-file-name=libbpf.a)
	@mkdir -p build
	objcopy --redefine-sym stderr=fr_stderr $< $@

SHIM := $(sort $(wildcard native/*.c))
SHIM_FLAGS := -O2 -g -std=gnu11 -fPIC -Wall -Wextra -Werror -fvisibility=hidden
$(OUT)/libflightring.so: $(SHIM) native/flightring-mark.h native/recorder.h native/rings.h build/libbpf.a Makefile
	@mkdir -p $(OUT)
	$(CC) $(SHIM_FLAGS) -shared -o $@ $(SHIM) build/libbpf.a -Wl,-Bstatic -lelf -lz -Wl,-Bdynamic \
		-Wl,--exclude-libs,ALL -Wl,-z,defs -Wl,-z,relro,-z,now

clean:
	rm -rf build dist

FORCE:

.PHONY: all clean FORCE

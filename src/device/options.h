/*
 * Every setting of `piccolo`, as the option table (main.c and the verbs) fills it. One struct for all
 * verbs; a field that only one verb uses stands under that verb's name.
 *
 * Texts are lent by the option table and live as long as the program. A text without default is NULL
 * when nobody set it.
 */
#ifndef PIC_DEVICE_OPTIONS_H
#define PIC_DEVICE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"

struct pic_device_options {
	/* the device and its hub */
	const char *hub;    /* https://..., NULL: no hub, only what is on disk or given by `run` */
	const char *target; /* name of this device at the hub */
	const char *ca_pin; /* sha256:<hex> of the hub's CA key */
	const char
		*tls_pin; /* sha256:<hex> of the listener's key, when it is not of the hub's CA */
	const char *token_file; /* one-time token for joining; "-" is standard input */
	const char *metrics;	/* ADDR:PORT, or "off" */

	/* places */
	const char *config;  /* /etc/piccolo/piccolo.conf */
	const char *policy;  /* /etc/piccolo/policy.conf */
	const char *state;   /* /var/lib/piccolo */
	const char *run_dir; /* /run/piccolo */

	const char *user; /* of the agent */
	const char *log_level;
	const char *log_format;

	char *const *argv; /* as the program was started, for its replacement in place */

	/* verbs */
	const char *run_file; /* run: absolute path of the desired state, NULL otherwise */
	const char *output;   /* status -o: "table" or "json" */
	bool follow;	      /* logs -f */
	long long lines;      /* logs -n */
	bool effective;	      /* config --effective */
	bool all;	      /* purge --all */
	struct pic_option_list wasm_listen, wasm_connect, wasm_folders,
		wasm_environment;	    /* wasm run */
	const char *wasm_memory;	    /* wasm run, wasm inspect */
	struct pic_option_list ebpf_attach; /* ebpf run */
	const char *ebpf_name, *ebpf_lease, *ebpf_prefix, *ebpf_confirm, *ebpf_uplink;
};

#endif

/*
 * Ignition configs for devices of Piccolo, spec 3.3.0 (which Flatcar, Fedora CoreOS and Debian's Ignition read).
 * Pure; what is made validates without a word.
 */
#ifndef PIC_IGNITION_DEVICE_H
#define PIC_IGNITION_DEVICE_H

#include "base/json.h"

/* How a machine becomes a device: configuration, one-time token, units. */
struct pic_ignition_device {
	const char *hub, *name, *ca_pin;
	const char *tls_pin; /* or NULL */
	const char *token;   /* goes to a file of mode 0600 that the device removes */
	const char
		*authority_pem; /* to be trusted for what else is fetched from the hub, or NULL */
};
struct pic_json *pic_ignition_device(const struct pic_ignition_device *device);

/* What an operator adds; members that are NULL are left out. */
struct pic_ignition_extras {
	const char *extension_url, *extension_hash; /* "sha512-<hex>" */
	const char *extension_file;		    /* its name below /opt/extensions/piccolo */
	const char *network_name, *network_text;    /* a file of systemd-networkd */
	const struct pic_json *ssh_keys;	    /* a list of texts, for the user core */
};
/* -EINVAL: the sentence names the part. */
int pic_ignition_extras(const struct pic_ignition_extras *extras, struct pic_json **out,
			struct pic_error *err);

/* "Go and fetch `url`": for fw_cfg and user data. Carries the authority that the initramfs lacks. */
struct pic_json *pic_ignition_pointer(const char *url, const char *bearer,
				      const char *authority_pem);
/* Gives each file that comes from below `prefix` the key to fetch it. */
void pic_ignition_authorize(struct pic_json *config, const char *prefix, const char *bearer);

#endif

/* The options of piccolo-hub, filled from flags, environment and hub.conf by the option table. */
#ifndef PIC_HUB_OPTIONS_H
#define PIC_HUB_OPTIONS_H

#include "base/option.h"

struct pic_hub_options {
	const char *config;
	const char *state;
	bool dev;
	struct pic_option_list listen;
	const char *listen_http;
	const char *tls_cert, *tls_key;
	const char *public_url;
	const char *smtp_url, *smtp_password_file, *smtp_ca, *mail_from;
	struct pic_option_list approval_url;
	bool insecure_demo;
	unsigned long long artifact_max;
	const char *log_level, *log_format;
	const char *output;
};

extern const struct pic_program pic_hub_program;

/* The state folder: --state, else ./piccolo-hub-dev with --dev, else the system's. */
const char *pic_hub_options_state(const struct pic_hub_options *options);
/* What the table cannot say: options that need each other. */
int pic_hub_options_check(const struct pic_hub_options *options, struct pic_error *err);
int pic_hub_options_log(const struct pic_hub_options *options, struct pic_error *err);

/* The verbs; each returns an exit status. */
int pic_hub_verb_serve(void *options, int argc, char **argv);
int pic_hub_verb_token(void *options, int argc, char **argv);
int pic_hub_verb_check(void *options, int argc, char **argv);
int pic_hub_verb_routes(void *options, int argc, char **argv);

#endif

/* `piccolo config --effective`: every option, its value and where it came from. */
#include <stdio.h>

#include "device/verbs.h"

int pic_verb_config(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;

	(void)argc;
	(void)argv;
	if (!options->effective) {
		fprintf(stderr, "piccolo config: say what to show: --effective\n");
		return PIC_EXIT_USAGE;
	}
	pic_program_effective(&pic_device_program, program, stdout);
	return PIC_EXIT_OK;
}

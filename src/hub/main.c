/* `piccolo-hub`: see options.c for what it understands and run.c for what it does. */
#include "hub/options.h"

int main(int argc, char **argv)
{
	struct pic_hub_options options = { 0 };

	return pic_program_run(&pic_hub_program, &options, argc, argv);
}

/* Needs what nobody serves. */
__attribute__((import_module("env"), import_name("open_the_pod_bay_doors"))) int doors(int how);

int main(void)
{
	return doors(1);
}

#include "workload/wasm/engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <wasm_export.h>

#include "base/cleanup.h"

/* Operands and frames of the interpreter; large, because unused pages cost nothing (forget_stack). */
#define STACK_SIZE (256u * 1024)
#define EXCEPTION_PREFIX "Exception: "

struct pic_wasm_engine {
	wasm_module_t module;
	wasm_module_inst_t instance;
	wasm_exec_env_t environment;
	struct pic_wasi *wasi;
};

/* The engine prints the whole call stack of a trap by itself; the innermost frame, in the error, is what
 * a person needs. See third_party/wamr_print.h. */
int pic_wasm_engine_print(const char *format, va_list arguments);

int pic_wasm_engine_print(const char *format, va_list arguments)
{
	(void)format;
	(void)arguments;
	return 0;
}

static int start_runtime(struct pic_error *err)
{
	RuntimeInitArgs arguments = { .mem_alloc_type = Alloc_With_System_Allocator };

	if (!wasm_runtime_full_init(&arguments))
		return pic_error_set(err, -ENOMEM, "the WebAssembly engine could not be started");
	/* What it has to say comes back as errors; a warning of its own would go to our output. */
	wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
	return 0;
}

int pic_wasm_engine_load(struct pic_wasm_engine **out, void *bytes, size_t size,
			 struct pic_error *err)
{
	LoadArgs arguments = { .name = "", .wasm_binary_freeable = true, .no_resolve = true };
	struct pic_wasm_engine *engine;
	char why[160] = "";
	int r;

	if (size > UINT32_MAX)
		return pic_error_set(err, -EFBIG, "a module of %zu bytes is too large", size);
	r = start_runtime(err);
	if (r < 0)
		return r;
	engine = calloc(1, sizeof(*engine));
	if (engine)
		engine->module =
			wasm_runtime_load_ex(bytes, (uint32_t)size, &arguments, why, sizeof(why));
	if (!engine || !engine->module) {
		r = pic_error_set(err, engine ? -EINVAL : -ENOMEM,
				  "it is no valid WebAssembly module: %s",
				  why[0] ? why : "there is no memory for it");
		free(engine);
		wasm_runtime_destroy();
		return r;
	}
	*out = engine;
	return 0;
}

/* Every import ends here. The guest's memory may have moved since the last call. */
static void dispatch(wasm_exec_env_t environment, uint64_t *cells)
{
	wasm_module_inst_t instance = wasm_runtime_get_module_inst(environment);
	struct pic_wasi *wasi = wasm_runtime_get_custom_data(instance);
	wasm_memory_inst_t memory = wasm_runtime_get_default_memory(instance);
	pic_wasi_handler *handler;
	void *attachment = wasm_runtime_get_function_attachment(environment);

	memcpy(&handler, &attachment, sizeof(handler));
	wasi->memory = memory ? wasm_memory_get_base_address(memory) : NULL;
	wasi->memory_size = memory ? wasm_memory_get_cur_page_count(memory) *
					     wasm_memory_get_bytes_per_page(memory)
				   : 0;
	cells[0] = handler(wasi, cells);
	if (wasi->exited)
		wasm_runtime_set_exception(instance, "proc_exit");
	else if (wasi->trap)
		wasm_runtime_set_exception(instance, wasi->trap);
}

static void fill_native(NativeSymbol *native, enum pic_wasm_host_id id)
{
	const struct pic_wasm_host_function *function = pic_wasm_host_at(id);
	pic_wasi_handler *handler = pic_wasi_handler_at(id);
	void (*entry)(wasm_exec_env_t, uint64_t *) = dispatch;

	native->symbol = function->name;
	native->signature = function->signature;
	memcpy(&native->func_ptr, &entry, sizeof(native->func_ptr));
	memcpy(&native->attachment, &handler, sizeof(native->attachment));
}

static bool is_listed(const NativeSymbol *natives, uint32_t count, const char *symbol)
{
	for (uint32_t i = 0; i < count; i++)
		if (natives[i].symbol == symbol)
			return true;
	return false;
}

/* Only what this module imports, each in the shape it imports: names of two shapes cannot clash. */
static int connect_imports(struct pic_wasm_engine *engine, const struct pic_wasm_facts *facts,
			   struct pic_error *err)
{
	NativeSymbol *PIC_FREE natives = calloc(PIC_WASM_HOST_COUNT, sizeof(*natives));
	uint32_t count = 0;
	bool done;

	if (!natives)
		return pic_error_set(err, -ENOMEM, "there is no memory for the module's imports");
	for (uint32_t i = 0; i < facts->import_count; i++) {
		enum pic_wasm_host_id id = facts->imports[i].host;

		if (id != PIC_WASM_HOST_COUNT &&
		    !is_listed(natives, count, pic_wasm_host_at(id)->name))
			fill_native(&natives[count++], id);
	}
	done = wasm_runtime_register_natives_raw(PIC_WASM_HOST_MODULE, natives, count);
	done = done && wasm_runtime_resolve_symbols(engine->module);
	wasm_runtime_unregister_natives(PIC_WASM_HOST_MODULE, natives);
	if (!done)
		return pic_error_set(err, -ENOTSUP, "its imports could not be connected");
	return 0;
}

static int instantiate(struct pic_wasm_engine *engine, uint64_t memory_max, struct pic_error *err)
{
	struct InstantiationArgs2 *arguments;
	uint64_t pages = memory_max / PIC_WASM_PAGE;
	char why[160] = "";

	if (!wasm_runtime_instantiation_args_create(&arguments))
		return pic_error_set(err, -ENOMEM, "there is no memory to start the module");
	wasm_runtime_instantiation_args_set_default_stack_size(arguments, STACK_SIZE);
	wasm_runtime_instantiation_args_set_max_memory_pages(
		arguments, pages < PIC_WASM_PAGE ? (uint32_t)pages : PIC_WASM_PAGE - 1);
	wasm_runtime_instantiation_args_set_custom_data(arguments, engine->wasi);
	engine->instance =
		wasm_runtime_instantiate_ex2(engine->module, arguments, why, sizeof(why));
	wasm_runtime_instantiation_args_destroy(arguments);
	if (!engine->instance)
		return pic_error_set(err, -ENOTSUP, "it cannot be started: %s",
				     why[0] ? why : "there is no memory for it");
	return 0;
}

/* The engine fills its stack with zeros when it makes it. Given back to the kernel, the pages read as
 * zeros just the same and cost nothing until they are used. The stack is the last part of the block,
 * behind fields that take less than the page left out here. */
static void forget_stack(wasm_exec_env_t environment)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)environment + 2 * page - 1) & ~(page - 1);
	uintptr_t to = ((uintptr_t)environment + STACK_SIZE) & ~(page - 1);

	/* A kernel that refuses leaves it as it is: right, only larger. */
	(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

int pic_wasm_engine_bind(struct pic_wasm_engine *engine, const struct pic_wasm_facts *facts,
			 struct pic_wasi *wasi, uint64_t memory_max, struct pic_error *err)
{
	int r;

	engine->wasi = wasi;
	r = connect_imports(engine, facts, err);
	if (r == 0)
		r = instantiate(engine, memory_max, err);
	if (r < 0)
		return r;
	engine->environment = wasm_runtime_create_exec_env(engine->instance, STACK_SIZE);
	if (!engine->environment)
		return pic_error_set(err, -ENOMEM, "there is no memory for the module's stack");
	forget_stack(engine->environment);
	return 0;
}

/* The innermost frame of the engine's call stack: "#00: 0x1234 - NAME". */
static void innermost_function(wasm_exec_env_t environment, char out[PIC_WASM_NAME_TEXT])
{
	uint32_t size = wasm_runtime_get_call_stack_buf_size(environment);
	char *PIC_FREE text = size > 0 ? malloc((size_t)size + 1) : NULL;
	const char *name;
	size_t length;

	if (!text)
		return;
	wasm_runtime_dump_call_stack_to_buf(environment, text, size);
	text[size] = '\0';
	name = strstr(text, " - ");
	if (!name)
		return;
	name += 3;
	length = strcspn(name, "\n");
	if (length >= PIC_WASM_NAME_TEXT)
		length = PIC_WASM_NAME_TEXT - 1;
	memcpy(out, name, length);
	out[length] = '\0';
}

int pic_wasm_engine_start(struct pic_wasm_engine *engine, char function[PIC_WASM_NAME_TEXT],
			  struct pic_error *err)
{
	wasm_function_inst_t start = wasm_runtime_lookup_function(engine->instance, "_start");
	const char *why;

	function[0] = '\0';
	if (!start)
		return pic_error_set(err, -ENOTSUP, "it exports no function _start");
	if (wasm_runtime_call_wasm(engine->environment, start, 0, NULL) || engine->wasi->exited)
		return 0;
	innermost_function(engine->environment, function);
	why = wasm_runtime_get_exception(engine->instance);
	if (why && strncmp(why, EXCEPTION_PREFIX, strlen(EXCEPTION_PREFIX)) == 0)
		why += strlen(EXCEPTION_PREFIX);
	return pic_error_set(err, -ECANCELED, "%s", why ? why : "it stopped without a reason");
}

void pic_wasm_engine_free(struct pic_wasm_engine *engine)
{
	if (!engine)
		return;
	if (engine->environment)
		wasm_runtime_destroy_exec_env(engine->environment);
	if (engine->instance)
		wasm_runtime_deinstantiate(engine->instance);
	wasm_runtime_unload(engine->module);
	free(engine);
	wasm_runtime_destroy();
}

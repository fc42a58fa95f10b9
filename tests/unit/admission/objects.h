/* The objects that the build compiles from tests/objects, and their facts. */
#ifndef PIC_TEST_ADMISSION_OBJECTS_H
#define PIC_TEST_ADMISSION_OBJECTS_H

#include "admission/ebpf.h"
#include "base/buffer.h"

/* "hello": the bytes of samples/test-hello.bpf.o; fails the test when it is not there. */
void object_read(const char *name, struct pic_buf *out);
/* Its facts on a machine with two processors. */
void object_facts(const char *name, struct pic_ebpf_facts *out);
/* {"ebpf.name": "x", ...} out of pairs, NULL ends. */
struct pic_ebpf_terms object_terms(const char *key, ...) __attribute__((sentinel));

#endif

/* The version of all three programs; the build may add a suffix (git describe). */
#ifndef PIC_BASE_VERSION_H
#define PIC_BASE_VERSION_H

#define PIC_VERSION "0.1.0"
#define PIC_PROTOCOL 1 /* device routes, /device/v1 */

#endif

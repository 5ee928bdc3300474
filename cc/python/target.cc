// Python's headers are configured for one platform, and a cross build uses the build machine's
// headers. This file makes the target's compiler check their type sizes.
#include <Python.h>
#include <sys/types.h>

#include <ctime>

#ifdef WORDS_BIGENDIAN
static_assert(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, "Python's headers: big-endian");
#else
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Python's headers: little-endian");
#endif
static_assert(sizeof(short) == SIZEOF_SHORT, "Python's headers: short");
static_assert(sizeof(int) == SIZEOF_INT, "Python's headers: int");
static_assert(sizeof(long) == SIZEOF_LONG, "Python's headers: long");
static_assert(sizeof(long long) == SIZEOF_LONG_LONG, "Python's headers: long long");
static_assert(sizeof(void*) == SIZEOF_VOID_P, "Python's headers: void*");
static_assert(sizeof(size_t) == SIZEOF_SIZE_T, "Python's headers: size_t");
static_assert(sizeof(float) == SIZEOF_FLOAT, "Python's headers: float");
static_assert(sizeof(double) == SIZEOF_DOUBLE, "Python's headers: double");
static_assert(sizeof(wchar_t) == SIZEOF_WCHAR_T, "Python's headers: wchar_t");
static_assert(sizeof(off_t) == SIZEOF_OFF_T, "Python's headers: off_t");
static_assert(sizeof(pid_t) == SIZEOF_PID_T, "Python's headers: pid_t");
static_assert(sizeof(time_t) == SIZEOF_TIME_T, "Python's headers: time_t");
static_assert(sizeof(uintptr_t) == SIZEOF_UINTPTR_T, "Python's headers: uintptr_t");

// Lets libraries that were built on a newer Linux run on an older one, from glibc 2.28 and the
// libstdc++ of GCC 8 on, which are the oldest that TensorFlow's own wheels run on.
//
// Newer headers refer to a few symbols that older systems lack. Each has a definition here, from
// what older systems have. The linker prefers these to the shared libraries' and exports none of
// them.

#include <features.h>
#include <pthread.h>

#include <exception>
#include <new>
#include <sstream>

// Since glibc 2.32: whether the process has had one thread only, so that libstdc++ can count
// references without atomic instructions. It never assumes so here.
extern "C" char __libc_single_threaded;
char __libc_single_threaded = 0;

// Since glibc 2.34 under a version of its own, from libc instead of libpthread. The old version is
// in both.
#if __GLIBC_PREREQ(2, 34)
extern "C" int OldPthreadOnce(pthread_once_t*, void (*)());
#if defined(__x86_64__)
__asm__(".symver OldPthreadOnce, pthread_once@GLIBC_2.2.5");
#else
__asm__(".symver OldPthreadOnce, pthread_once@GLIBC_2.17");
#endif
#else
extern "C" int OldPthreadOnce(pthread_once_t*, void (*)()) __asm__("__real_pthread_once");
#endif

extern "C" int __wrap_pthread_once(pthread_once_t* once, void (*function)());
int __wrap_pthread_once(pthread_once_t* once, void (*function)()) {
  return OldPthreadOnce(once, function);
}

// Exported since GCC 11, where copies and destructors became inline. Before, those were exported:
// they count the same references.
extern "C" void CopyExceptionPtr(void* copy, const void* pointer) __asm__(
    "_ZNSt15__exception_ptr13exception_ptrC1ERKS0_");
extern "C" void DestroyExceptionPtr(void* pointer) __asm__(
    "_ZNSt15__exception_ptr13exception_ptrD1Ev");

namespace std {

// Since GCC 11.
void __throw_bad_array_new_length() __attribute__((__noreturn__));
void __throw_bad_array_new_length() { throw bad_array_new_length(); }

// Since GCC 9.
template basic_stringstream<char>::basic_stringstream();

namespace __exception_ptr {

void exception_ptr::_M_addref() noexcept {
  alignas(exception_ptr) unsigned char never_destroyed[sizeof(exception_ptr)];
  CopyExceptionPtr(never_destroyed, this);
}

void exception_ptr::_M_release() noexcept { DestroyExceptionPtr(this); }

}  // namespace __exception_ptr
}  // namespace std

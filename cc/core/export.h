// Marks what a shared library exports. All other symbols are hidden.
#ifndef FLATNOISE_CC_CORE_EXPORT_H_
#define FLATNOISE_CC_CORE_EXPORT_H_

#define FLATNOISE_EXPORT __attribute__((visibility("default")))

#endif  // FLATNOISE_CC_CORE_EXPORT_H_

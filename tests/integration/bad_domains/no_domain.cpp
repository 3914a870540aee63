// A shared library that knows nothing of Sluice.
extern "C" int no_domain_here() { return 42; }

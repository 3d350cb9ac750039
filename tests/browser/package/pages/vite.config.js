// What an application on a sub-path says; the package needs nothing here.
export default { base: '/an/app/of/ours/', logLevel: 'warn', clearScreen: false };

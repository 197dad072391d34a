/** How the bundler and workerd give a WebAssembly file that is imported: compiled. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

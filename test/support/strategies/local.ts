export { default } from '#strategies/local';

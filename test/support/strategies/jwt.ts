export { default } from '#strategies/jwt';

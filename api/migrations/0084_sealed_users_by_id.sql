-- What is sealed of a user and by which key, for who looks by hand: the keyring opens it (accounts/pii.ts), never PostgreSQL.

create function get_user_email(of_user uuid, out ciphertext bytea, out key_id uuid)
language sql stable as $$
  select email_encrypted, email_key_id from users where user_id = of_user
$$;
comment on function get_user_email is 'nothing outside a transaction about accounts';

create function get_user_full_name(of_user uuid, out ciphertext bytea, out key_id uuid)
language sql stable as $$
  select full_name_encrypted, full_name_key_id from users where user_id = of_user
$$;
comment on function get_user_full_name is 'nothing outside a transaction about accounts';

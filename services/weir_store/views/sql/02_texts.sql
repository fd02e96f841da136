${texts}

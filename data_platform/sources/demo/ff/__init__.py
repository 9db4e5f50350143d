"""The relations of WRDS's schema `ff`: the data library's factors once more, as decimals and one table each."""

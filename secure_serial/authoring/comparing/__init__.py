"""Two policies side by side: what one allows and the other does not, shown or proved."""

echo \n== at its first output\n
info symbol $pc
x/6i $pc
info registers rip rsp rdi rdx cs
p $rdx
p/c *(char *)$rsi@($rdx < 4 ? $rdx : 4)
p $_siginfo
info threads
thread
info sharedlibrary
info signals SIGINT
info frame
bt 2
up
info frame
down
p (int)$eflags & 1
p $xmm0.v2_int64[0] == $xmm0.v2_int64[0]
p $mxcsr
p $st0
p $fctrl
p $k0 == $k0
output $_thread
output $_inferior
echo \n== stepping\n
stepi
x/2i $pc
stepi
info symbol $pc
nexti
info symbol $pc
p $rcx == $rcx
finish
p $rax
x/i $pc
tbreak _exit
condition 2 1
info breakpoints
echo \n== memory\n
x/2xg $rsp
p sizeof(int)
set $sum = 0
p $sum + 41
p $_strlen("four")
info line write
info address write
info scope write
disassemble write, +12
echo \n== to the end\n
delete 1
continue
info symbol $pc
bt 1
p $rdi
handle SIGUSR1 nostop noprint pass
display/i $pc
stepi
undisplay 1
info display

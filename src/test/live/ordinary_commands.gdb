backtrace
info frame
info args
info locals
list
next
next
step
finish
print *head
print head->name
ptype struct node
whatis head
print sizeof(struct node)
x/2xw head
x/s head->name
output total
display total
stepi
nexti
x/3i $pc
info line
info symbol push
info source
disassemble fact
tbreak fact
continue
up
down
frame 1
break fact if n == 2
continue
backtrace 3
info breakpoints
delete
advance 23
handle SIGUSR1 stop print
continue
backtrace 1
finish
info signals SIGUSR1
break worker
continue
thread
info threads 2
thread apply 2 backtrace 1
print $_thread
watch total
continue
continue
info watchpoints
delete
print/x total
print ratio * 2
print $_siginfo.si_signo
info all-registers eflags
p $rip
p $_exitcode

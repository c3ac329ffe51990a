#!/usr/bin/python3
"""An EA PSB 9000 as a pymodbus server: a peer whose Modbus code nobody of this project wrote.

Without an argument over TCP: prints its port. With a serial device over RTU: prints 1 when it listens. Ends with its standard input. Leaves with 77 when pymodbus (Debian: python3-pymodbus, python3-serial-asyncio) is missing.
"""
import asyncio
import struct
import sys

try:
    from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
    from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
    from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer
except ModuleNotFoundError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)

NOMINAL_V, NOMINAL_A, NOMINAL_W = 80.0, 60.0, 1500.0
CELL_V, CELL_OHM = 3.6, 0.02
FULL = 52428


def words(data):
    return list(struct.unpack(">%dH" % (len(data) // 2), data))


class Supply:
    """Registers and coils of the unit; the terminals see a cell behind a resistor."""

    def __init__(self):
        self.coil = ModbusSequentialDataBlock(0, [False] * 500)
        self.holding = ModbusSequentialDataBlock(0, [0] * 10000)
        self.put(1, words(b"PSB 9080-60".ljust(40, b"\0")))
        self.put(21, words(b"EA Elektro-Automatik".ljust(40, b"\0")))
        self.put(121, words(struct.pack(">fff", NOMINAL_V, NOMINAL_A, NOMINAL_W)))
        self.put(151, words(b"2840310001".ljust(40, b"\0")))
        self.put(191, words(b"KE 3.12".ljust(40, b"\0")))
        self.put(408, [0xFF00])

    def put(self, address, values):
        ModbusSequentialDataBlock.setValues(self.holding, address, values)

    def get(self, address):
        return self.holding.values[address]

    def settle(self):
        on, remote = bool(self.coil.values[405]), bool(self.coil.values[402])
        set_v = self.get(500) / FULL * NOMINAL_V
        wanted = (set_v - CELL_V) / CELL_OHM
        limit = (self.get(501) if wanted >= 0 else self.get(499)) / FULL * NOMINAL_A
        amps = max(-limit, min(limit, wanted)) if on else 0.0
        volts = CELL_V + amps * CELL_OHM
        state = (on << 7) | ((2 if abs(wanted) > limit else 0) << 9) | (remote << 11) | ((amps < 0) << 12)
        self.put(505, [0, state, round(volts / NOMINAL_V * FULL), round(abs(amps) / NOMINAL_A * FULL),
                       round(abs(volts * amps) / NOMINAL_W * FULL)])
        self.put(408, [0xFF00 if self.coil.values[408] else 0])


def watched(block, supply):
    plain = block.setValues

    def set_and_settle(address, values):
        plain(address, values)
        supply.settle()

    block.setValues = set_and_settle


async def main():
    supply = Supply()
    supply.settle()
    watched(supply.coil, supply)
    watched(supply.holding, supply)
    unit = ModbusSlaveContext(co=supply.coil, hr=supply.holding, zero_mode=True)
    if len(sys.argv) > 1:
        server = ModbusSerialServer(ModbusServerContext(slaves={1: unit}, single=False), ModbusRtuFramer, port=sys.argv[1],
                                    baudrate=115200, ignore_missing_slaves=True)
        await server.start()
        print(1, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        return
    server = ModbusTcpServer(ModbusServerContext(slaves=unit, single=True), ModbusSocketFramer, None, ("127.0.0.1", 0))
    task = asyncio.ensure_future(server.serve_forever())
    await server.serving
    print(server.server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    task.cancel()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except asyncio.CancelledError:
        pass

# Written for this test: an experiment as people paste it.
import pybamm
import numpy as np

N = 3
aging = [
    (
        pybamm.step.string("Discharge at C/10 for 10 hours or until 3.3 V", tags="first"),
        "Rest for 1 hour",
        "Charge at 1 A until 4.1 V",
        'Hold at 4.1 V until 50 mA',
        pybamm.step.c_rate(-1/3, termination=["4.2 V", pybamm.step.CurrentTermination(-0.05, ">")], duration="1 h"),
        pybamm.step.current(np.array([[0, 1], [60, -2], [120, 0.5]]), duration=600),
    )
] * N
experiment = pybamm.Experiment(
    aging + ["Rest for 1 hour"], period="30 seconds", termination=["80% capacity", "2.5 V", "100 h"],
)
sim = pybamm.Simulation(pybamm.lithium_ion.DFN(), experiment=experiment)
sim.solve()

namespace Harbour.Cranes;

/// <summary>Moves the trolley along the boom, slowly near both ends.</summary>
public sealed class CraneController
{
    private double _positionMetres;

    public void MoveTrolley(double targetMetres, double boomMetres)
    {
        var nearEnd = targetMetres < 3 || targetMetres > boomMetres - 3;
        var step = nearEnd ? 0.1 : 0.8;
        while (System.Math.Abs(_positionMetres - targetMetres) > step)
        {
            _positionMetres += System.Math.Sign(targetMetres - _positionMetres) * step;
        }
    }
}

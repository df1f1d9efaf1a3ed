namespace Slipway.Stats.Distances;

/// <summary>How far apart two samples of numbers are, of which every value is known.</summary>
public static class SampleDistances
{
    /// <summary>Products of the sizes up to which the exact p-value is counted out: as many additions, and as the approximation is then good to 1 %.</summary>
    private const long MostExact = 1_000_000;

    /// <summary>Kolmogorov–Smirnov: the largest difference of the two empirical distribution functions.</summary>
    /// <param name="first">Finite, at least one; in any order. Likewise <paramref name="second"/>.</param>
    public static double KolmogorovSmirnov(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        var (a, b) = (Sorted(first), Sorted(second));
        var (i, j, largest) = (0, 0, 0L);
        while (i < a.Length && j < b.Length)
        {
            var at = Math.Min(a[i], b[j]);
            while (i < a.Length && a[i] == at)
                i++;
            while (j < b.Length && b[j] == at)
                j++;
            largest = Math.Max(largest, Math.Abs(((long)i * b.Length) - ((long)j * a.Length)));
        }

        return (double)largest / ((long)a.Length * b.Length);
    }

    /// <summary>Two-sided p-value of <see cref="KolmogorovSmirnov"/>, counted out over all orders of the two samples.</summary>
    /// <returns>Null where the samples are too large for it.</returns>
    /// <remarks>Of samples without ties; with ties it is too large, never too small. Source: Hodges, "The significance probability of the Smirnov two-sample test", 1957.</remarks>
    public static double? KolmogorovSmirnovExact(double distance, int first, int second)
    {
        if ((long)first * second > MostExact)
            return null;
        // Share of the lattice paths from (0, 0) to (i, j) that stay within the distance, for the row i: a path that leaves is lost.
        var limit = (distance * first * second) - 1e-7;
        var row = new double[second + 1];
        for (var i = 0; i <= first; i++)
        {
            for (var j = 0; j <= second; j++)
            {
                var isInside = Math.Abs(((double)i * second) - ((double)j * first)) < limit;
                // Of the paths to (i, j), i of i + j come from (i − 1, j).
                row[j] = !isInside ? 0
                    : i == 0 && j == 0 ? 1
                    : ((i == 0 ? 0 : row[j] * i) + (j == 0 ? 0 : row[j - 1] * j)) / (i + j);
            }
        }

        return Math.Clamp(1 - row[second], 0, 1);
    }

    /// <summary>
    /// Two-sided p-value of <see cref="KolmogorovSmirnov"/> by the one-sample distribution at the effective size n m/(n + m), rounded; too small for small samples.
    /// </summary>
    /// <remarks>Source of the one-sample distribution: Marsaglia, Tsang, Wang, "Evaluating Kolmogorov's distribution", 2003; from 1,000 on Kolmogorov's limit.</remarks>
    public static double KolmogorovSmirnovAsymptotic(double distance, int first, int second)
    {
        var size = (int)Math.Min(int.MaxValue, Math.Round((double)first * second / ((double)first + second), MidpointRounding.ToEven));
        return Math.Clamp(size < 1000 ? 1 - OneSample(Math.Max(1, size), distance) : Limit(Math.Sqrt(size) * distance), 0, 1);
    }

    /// <summary>Wasserstein-1, the earth mover's distance: the area between the two empirical distribution functions, in the unit of the values.</summary>
    public static double Wasserstein(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        var (a, b) = (Sorted(first), Sorted(second));
        var (i, j, area) = (0, 0, 0.0);
        var at = Math.Min(a[0], b[0]);
        while (i < a.Length || j < b.Length)
        {
            var next = Math.Min(i < a.Length ? a[i] : double.PositiveInfinity, j < b.Length ? b[j] : double.PositiveInfinity);
            area += (next - at) * Math.Abs(((double)i / a.Length) - ((double)j / b.Length));
            at = next;
            while (i < a.Length && a[i] == at)
                i++;
            while (j < b.Length && b[j] == at)
                j++;
        }

        return area;
    }

    private static double[] Sorted(ReadOnlySpan<double> values)
    {
        if (values.IsEmpty)
            throw new ArgumentException("a sample without values has no distance from anything", nameof(values));
        var sorted = values.ToArray();
        Array.Sort(sorted);
        return double.IsFinite(sorted[0]) && double.IsFinite(sorted[^1]) ? sorted : throw new ArgumentException("a sample holds a value that is not finite", nameof(values));
    }

    /// <summary>P(D &lt; distance) of a sample of <paramref name="n"/> against the distribution that it comes from.</summary>
    private static double OneSample(int n, double distance)
    {
        var k = (int)(n * distance) + 1;
        var (size, h) = ((2 * k) - 1, k - (n * distance));
        var matrix = new double[size * size];
        for (var i = 0; i < size; i++)
        {
            for (var j = 0; j < size; j++)
                matrix[(i * size) + j] = i - j + 1 < 0 ? 0 : 1;
        }

        for (var i = 0; i < size; i++)
        {
            matrix[i * size] -= Math.Pow(h, i + 1);
            matrix[((size - 1) * size) + i] -= Math.Pow(h, size - i);
        }

        matrix[(size - 1) * size] += (2 * h) - 1 > 0 ? Math.Pow((2 * h) - 1, size) : 0;
        for (var i = 0; i < size; i++)
        {
            for (var j = 0; j < size; j++)
            {
                for (var g = 1; g <= i - j + 1; g++)
                    matrix[(i * size) + j] /= g;
            }
        }

        var (power, exponent) = (Identity(size), 0);
        for (var i = 1; i <= n; i++)
        {
            power = Multiply(power, matrix, size);
            // n!/nⁿ comes in factor by factor, so that nothing leaves the range of a double.
            var scale = (double)i / n;
            for (var cell = 0; cell < power.Length; cell++)
                power[cell] *= scale;
            if (power[((k - 1) * size) + k - 1] < 1e-140)
            {
                for (var cell = 0; cell < power.Length; cell++)
                    power[cell] *= 1e140;
                exponent -= 140;
            }
        }

        return power[((k - 1) * size) + k - 1] * Math.Pow(10, exponent);
    }

    /// <summary>P(K &gt; x) of Kolmogorov's limiting distribution.</summary>
    private static double Limit(double x)
    {
        if (x < 0.2)
            return 1;
        var sum = 0.0;
        for (var k = 1; k <= 20; k++)
            sum += (k % 2 == 1 ? 2 : -2) * Math.Exp(-2.0 * k * k * x * x);
        return sum;
    }

    private static double[] Identity(int size)
    {
        var identity = new double[size * size];
        for (var i = 0; i < size; i++)
            identity[(i * size) + i] = 1;
        return identity;
    }

    private static double[] Multiply(double[] a, double[] b, int size)
    {
        var product = new double[size * size];
        for (var i = 0; i < size; i++)
        {
            for (var k = 0; k < size; k++)
            {
                var factor = a[(i * size) + k];
                for (var j = 0; j < size; j++)
                    product[(i * size) + j] += factor * b[(k * size) + j];
            }
        }

        return product;
    }
}

using System.Runtime.InteropServices;
using System.Text.Json;
using Slipway.Engines.OnnxRuntime;

namespace Slipway.Tests.Engines.OnnxRuntime;

public sealed class OnnxModelTests : IDisposable
{
    private static readonly TimeSpan Ample = TimeSpan.FromMinutes(1);

    private readonly string folder = Directory.CreateTempSubdirectory("slipway-onnx-").FullName;

    public static string PathOf(string model) => Path.Combine(AppContext.BaseDirectory, "Engines", "OnnxRuntime", "vectors", model + ".onnx");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_model_says_what_goes_in_and_what_comes_out()
    {
        using var model = OnnxModel.Load(PathOf("late"));
        Assert.Equal(["distance Float32 -1,1", "hour Int64 -1,1"], model.Inputs.Select(Describe));
        Assert.Equal(["probability Float32 -1,1", "unused Float32 -1,1"], model.Outputs.Select(Describe));

        using var odd = OnnxModel.Load(PathOf("odd"));
        Assert.Equal(["y Float32 1,3", "bag no tensor"], odd.Outputs.Select(Describe));
    }

    [Fact]
    public void Answers_are_those_of_numpy()
    {
        using var reference = JsonDocument.Parse(File.ReadAllText(Path.ChangeExtension(PathOf("reference"), "json")));
        var distance = reference.RootElement.GetProperty("distance").EnumerateArray().Select(x => x.GetSingle()).ToArray();
        var hour = reference.RootElement.GetProperty("hour").EnumerateArray().Select(x => x.GetInt64()).ToArray();
        var expected = reference.RootElement.GetProperty("probability").EnumerateArray().Select(x => x.GetDouble()).ToArray();

        using var model = OnnxModel.Load(PathOf("late"));
        using var call = model.Prepare(["hour", "distance"], ["probability"], TimeProvider.System);
        for (var again = 0; again < 3; again++)
        {
            call.SetInput(0, Bytes(hour), [4, 1]);
            call.SetInput(1, Bytes(distance), [4, 1]);
            Assert.True(call.Run(Ample));
            Assert.Equal([4, 1], Shape(call, 0));
            var found = Output<float>(call, 0, 4);
            for (var i = 0; i < 4; i++)
                Assert.Equal(expected[i], found[i], 6e-7);
            call.Clear();
        }
    }

    [Fact]
    public void Every_datatype_goes_in_and_comes_out_unchanged()
    {
        using var model = OnnxModel.Load(PathOf("echo"));
        var inputs = model.Inputs.Select(port => port.Name).ToArray();
        using var call = model.Prepare(inputs, [.. inputs.Select(name => name + "_out")], TimeProvider.System);
        byte[][] given =
        [
            [1, 0], [0, 255], Bytes<ushort>([1, 65535]), Bytes<uint>([1, uint.MaxValue]), Bytes<ulong>([1, ulong.MaxValue]),
            Bytes<sbyte>([-128, 127]), Bytes<short>([-32768, 32767]), Bytes<int>([int.MinValue, int.MaxValue]), Bytes<long>([long.MinValue, long.MaxValue]),
            Bytes<float>([float.MinValue, float.NaN]), Bytes<double>([double.Epsilon, double.NegativeInfinity]),
        ];
        string[] texts = ["", "Zürich ✈ 東京"];
        for (var i = 0; i < given.Length; i++)
            call.SetInput(i, given[i], [1, 2]);
        call.SetInput(given.Length, texts, [1, 2]);
        Assert.True(call.Run(Ample));

        for (var i = 0; i < given.Length; i++)
        {
            Assert.Equal([1, 2], Shape(call, i));
            Assert.Equal(given[i], Output<byte>(call, i, given[i].Length));
        }

        Assert.Equal([1, 2], Shape(call, given.Length));
        var read = new string[2];
        call.ReadStrings(given.Length, read);
        Assert.Equal(texts, read);
    }

    [Fact]
    public void A_file_that_is_no_onnx_is_refused_with_the_librarys_words()
    {
        var file = Path.Combine(folder, "model.onnx");
        File.WriteAllText(file, "this is no model");
        Assert.NotEmpty(Assert.Throws<OnnxException>(() => OnnxModel.Load(file)).Message);
        Assert.Throws<OnnxException>(() => OnnxModel.Load(Path.Combine(folder, "nothing.onnx")));

        var whole = File.ReadAllBytes(PathOf("late"));
        File.WriteAllBytes(file, whole[..(whole.Length / 2)]);
        Assert.Throws<OnnxException>(() => OnnxModel.Load(file));
        File.WriteAllBytes(file, whole);
        OnnxModel.Load(file).Dispose();
    }

    [Fact]
    public void A_wrong_width_and_a_wrong_value_are_refused_and_the_call_lives_on()
    {
        using var model = OnnxModel.Load(PathOf("pick"));
        using var call = model.Prepare(["index"], ["picked"], TimeProvider.System);
        Assert.Throws<OnnxException>(() => call.SetInput(0, Bytes<long>([1, 2]), [3]));
        call.SetInput(0, Bytes<long>([7]), [1]);
        Assert.Throws<OnnxException>(() => call.Run(Ample));
        call.SetInput(0, Bytes<long>([2, 0]), [2]);
        Assert.True(call.Run(Ample));
        Assert.Equal([2], Shape(call, 0));
        Assert.Equal([30f, 10f], Output<float>(call, 0, 2));
    }

    [Fact]
    public void A_deadline_ends_a_run_and_the_next_run_is_whole()
    {
        using var model = OnnxModel.Load(PathOf("loop"));
        using var call = model.Prepare(["steps"], ["left"], TimeProvider.System);
        call.SetInput(0, Bytes<long>([long.MaxValue]), [1, 1]);
        Assert.False(call.Run(TimeSpan.FromMilliseconds(50)));
        Assert.Throws<InvalidOperationException>(() => Shape(call, 0));

        call.SetInput(0, Bytes<long>([3]), [1, 1]);
        Assert.True(call.Run(Ample));
        Shape(call, 0);
        Assert.Equal([0.125f], Output<float>(call, 0, 1));
    }

    [Fact]
    public void One_model_answers_many_calls_at_once()
    {
        using var model = OnnxModel.Load(PathOf("pick"));
        Parallel.For(0, 8, worker =>
        {
            using var call = model.Prepare(["index"], ["picked"], TimeProvider.System);
            for (var i = 0; i < 200; i++)
            {
                call.SetInput(0, Bytes<long>([(worker + i) % 3]), [1]);
                Assert.True(call.Run(Ample));
                Shape(call, 0);
                Assert.Equal(((worker + i) % 3 + 1) * 10f, Output<float>(call, 0, 1)[0]);
            }
        });
    }

    [Fact]
    public void A_call_outlives_the_disposal_of_its_model()
    {
        var model = OnnxModel.Load(PathOf("pick"));
        using var call = model.Prepare(["index"], ["picked"], TimeProvider.System);
        model.Dispose();
        call.SetInput(0, Bytes<long>([1]), [1]);
        Assert.True(call.Run(Ample));
    }

    [Fact]
    public void Misuse_is_refused_before_the_library_sees_it()
    {
        using var model = OnnxModel.Load(PathOf("late"));
        Assert.Throws<ArgumentException>(() => model.Prepare(["distances"], ["probability"], TimeProvider.System));
        using var call = model.Prepare(["hour", "distance"], ["probability"], TimeProvider.System);
        call.SetInput(0, Bytes<long>([1]), [1, 1]);
        Assert.Throws<InvalidOperationException>(() => call.Run(Ample));
        call.SetInput(1, Bytes<float>([1]), [1, 1]);
        Assert.True(call.Run(Ample));
        Shape(call, 0);
        Assert.Throws<ArgumentException>(() => call.CopyOutput(0, new byte[8]));
    }

    private static byte[] Bytes<T>(params T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(values).ToArray();

    private static long[] Shape(OnnxCall call, int output)
    {
        var sizes = new long[8];
        return sizes[..call.OutputShape(output, sizes)];
    }

    private static T[] Output<T>(OnnxCall call, int output, int count)
        where T : unmanaged
    {
        var values = new T[count];
        call.CopyOutput(output, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private static string Describe(OnnxPort port) => port.IsTensor ? $"{port.Name} {port.Element} {string.Join(',', port.Shape)}" : $"{port.Name} no tensor";
}

using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Documents.Serving;
using Slipway.Runtime.Tensors;

namespace Slipway.Tests.Runtime.Tensors;

public sealed class TensorJsonTests
{
    private static readonly ModelSignature Flight = new(
        [
            new TensorSpec("distance", Datatype.Float32, [-1, 2], new ValueRange(0, 6000), "miles"),
            new TensorSpec("hour", Datatype.Int64, [-1, 1], new ValueRange(0, 23), null),
        ],
        []);

    private const string Hour = """{"name":"hour","shape":[1,1],"datatype":"INT64","data":[7]}""";

    /// <summary>Text of the first fault; null when the tensors are read and fit the signature.</summary>
    private static string? Read(string json, ModelSignature signature, out TensorSet set)
    {
        set = TensorSet.ForInputs(signature);
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        reader.Read();
        return TensorJson.Read(ref reader, set) ?? set.Check();
    }

    [Theory]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1.5,2]}""")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[[1.5,2]]}""")]
    [InlineData("""{"data":[[1.5,2]],"datatype":"FP32","parameters":{"a":[{}]},"shape":[1,2],"name":"distance"}""")]
    public void Flat_and_nested_data_in_any_order_of_keys_are_the_same(string tensor)
    {
        Assert.Null(Read($"[{tensor},{Hour}]", Flight, out var set));
        Assert.Equal([1.5f, 2f], set.Tensors[0].Values<float>().ToArray());
        Assert.Equal([7L], set.Tensors[1].Values<long>().ToArray());
        Assert.Equal(1, set.Batch);
    }

    [Theory]
    [InlineData("""{"name":"distances","shape":[1,2],"datatype":"FP32","data":[1,2]}""", "unknown input 'distances'; did you mean 'distance'?")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}""", "unknown input 'x'; the signature has 'distance' FP32, 'hour' INT64")]
    [InlineData("""{"name":7}""", "input 1: its name must be a string")]
    [InlineData("""{"shape":[1,2],"datatype":"FP32","data":[1,2]}""", "input 1 has no name")]
    [InlineData("3", "input 1 must be an object with name, shape, datatype, parameters, data")]
    [InlineData("""{"name":"hour","shape":[1,1],"datatype":"INT64","data":[7]}""", "input 'hour' is given twice")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP64","data":[1,2]}""", "input 'distance': its datatype is \"FP64\", expected \"FP32\"")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":32,"data":[1,2]}""", "input 'distance': its datatype is 32, expected \"FP32\"")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32"}""", "input 'distance' has no data")]
    [InlineData("""{"name":"distance","datatype":"FP32","data":[1,2]}""", "input 'distance' has no shape")]
    [InlineData("""{"name":"distance","shape":[1,2],"data":[1,2]}""", "input 'distance' has no datatype")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1,2],"date":1}""", "input 'distance': unknown key 'date'; did you mean 'data'?")]
    [InlineData("""{"name":"distance","shape":[1,2],"shape":[1,2],"datatype":"FP32","data":[1,2]}""", "input 'distance': key 'shape' is given twice")]
    [InlineData("""{"name":"distance","shape":2,"datatype":"FP32","data":[1,2]}""", "input 'distance': its shape must be an array of whole numbers")]
    [InlineData("""{"name":"distance","shape":[1,2.5],"datatype":"FP32","data":[1,2]}""", "input 'distance': its shape has 2.5 where a whole number is due")]
    [InlineData("""{"name":"distance","shape":[1,1,1,1,1,1,1,1,1],"datatype":"FP32","data":[1]}""", "input 'distance': its shape has more than 8 sizes")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":3}""", "input 'distance': its data must be an array")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[]}""", "input 'distance': its data are empty")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[[1],2]}""", "input 'distance': its data are nested unevenly at element 1")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1,[2]]}""", "input 'distance': its data are nested unevenly, or too deep")]
    [InlineData("""{"name":"distance","shape":[2,2],"datatype":"FP32","data":[[1,2],[3]]}""", "input 'distance': its data are nested unevenly before element 3")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[[1],[2]]}""", "input 'distance': its data are nested as [2, 1], its shape is [1, 2]")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1,"2"]}""", "input 'distance': element 1 is \"2\", expected a number that fits FP32")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1,null]}""", "input 'distance': element 1 is null, expected a number that fits FP32")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1,{}]}""", "input 'distance': element 1 is an object, expected a number that fits FP32")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1,1e39]}""", "input 'distance': element 1 is 1e39, expected a number that fits FP32")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1]}""", "input 'distance' has 1 elements, which do not fit its shape [1, 2]")]
    [InlineData("""{"name":"distance","shape":[1],"datatype":"FP32","data":[1]}""", "input 'distance' has shape [1], expected [-1, 2], where -1 is any size from 1 on")]
    [InlineData("""{"name":"distance","shape":[0,2],"datatype":"FP32","data":[1]}""", "input 'distance' has shape [0, 2], expected [-1, 2], where -1 is any size from 1 on")]
    [InlineData("""{"name":"distance","shape":[4611686018427387905,2],"datatype":"FP32","data":[1,2]}""", "input 'distance' has 2 elements, which do not fit its shape [4611686018427387905, 2]")]
    [InlineData("""{"name":"distance","shape":[2,2],"datatype":"FP32","data":[1,2,3,4]}""", "input 'hour' has 1 rows and input 'distance' has 2; all must have the same number")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1,6000.5]}""", "input 'distance': element 1 is 6000.5, allowed 0 to 6000 (miles)")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[-0.001,1]}""", "input 'distance': element 0 is -0.001, allowed 0 to 6000 (miles)")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1,2],"parameters":{"binary_data_size":8}}""", "input 'distance': binary tensor data is not supported; send 'data' as JSON")]
    [InlineData("""{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1,2],"parameters":[]}""", "input 'distance': its parameters must be an object")]
    public void A_fault_is_named_with_its_place(string tensor, string message)
    {
        Assert.Equal(message, Read($"[{Hour},{tensor}]", Flight, out _));
    }

    [Theory]
    [InlineData("[]", "input 'distance' is missing; the signature has 'distance' FP32, 'hour' INT64")]
    [InlineData("{}", "'inputs' must be an array of tensors")]
    public void The_whole_is_checked_too(string json, string message) => Assert.Equal(message, Read(json, Flight, out _));

    [Theory]
    [InlineData(Datatype.UInt8, "[0,255]", "256")]
    [InlineData(Datatype.UInt16, "[0,65535]", "65536")]
    [InlineData(Datatype.UInt32, "[0,4294967295]", "-1")]
    [InlineData(Datatype.UInt64, "[0,18446744073709551615]", "18446744073709551616")]
    [InlineData(Datatype.Int8, "[-128,127]", "128")]
    [InlineData(Datatype.Int16, "[-32768,32767]", "32768")]
    [InlineData(Datatype.Int32, "[-2147483648,2147483647]", "2147483648")]
    [InlineData(Datatype.Int64, "[-9223372036854775808,9223372036854775807]", "9223372036854775808")]
    [InlineData(Datatype.Int64, "[1,2]", "2.0")]
    [InlineData(Datatype.Float32, "[-3.4028235E+38,1E-45]", "\"NaN\"")]
    [InlineData(Datatype.Float64, "[-1.7976931348623157E+308,5E-324]", "1e309")]
    [InlineData(Datatype.Bool, "[true,false]", "1")]
    [InlineData(Datatype.String, "[\"\",\"\\u00FC\"]", "7")]
    public void Every_datatype_is_read_and_written_to_its_limits(Datatype datatype, string data, string bad)
    {
        var signature = new ModelSignature([new TensorSpec("x", datatype, [-1], null, null)], []);
        var wire = TensorJson.NameOf(datatype);
        Assert.Null(Read($$"""[{"name":"x","datatype":"{{wire}}","shape":[2],"data":{{data}}}]""", signature, out var set));
        Assert.Equal($$"""{"name":"x","datatype":"{{wire}}","shape":[2],"data":{{data}}}""", Write(set.Tensors[0]));
        Assert.Contains($"element 0 is {bad}, expected", Read($$"""[{"name":"x","datatype":"{{wire}}","shape":[1],"data":[{{bad}}]}]""", signature, out _));
    }

    [Fact]
    public void Bounds_are_in_the_datatypes_own_steps()
    {
        var tenth = new ModelSignature([new TensorSpec("x", Datatype.Float32, [-1], new ValueRange(0.1, 0.3), null)], []);
        Assert.Null(Read("""[{"name":"x","datatype":"FP32","shape":[2],"data":[0.1,0.3]}]""", tenth, out _));
        Assert.NotNull(Read("""[{"name":"x","datatype":"FP32","shape":[2],"data":[0.1,0.30000004]}]""", tenth, out _));

        var halves = new ModelSignature([new TensorSpec("x", Datatype.UInt8, [-1], new ValueRange(0.5, 2.5), null)], []);
        Assert.Null(Read("""[{"name":"x","datatype":"UINT8","shape":[2],"data":[1,2]}]""", halves, out _));
        Assert.NotNull(Read("""[{"name":"x","datatype":"UINT8","shape":[1],"data":[0]}]""", halves, out _));
        Assert.NotNull(Read("""[{"name":"x","datatype":"UINT8","shape":[1],"data":[3]}]""", halves, out _));

        var never = new ModelSignature([new TensorSpec("x", Datatype.UInt8, [-1], new ValueRange(-9, -1), null)], []);
        Assert.NotNull(Read("""[{"name":"x","datatype":"UINT8","shape":[1],"data":[0]}]""", never, out _));
    }

    [Theory]
    [InlineData(Datatype.Float32)]
    [InlineData(Datatype.Float64)]
    public void No_number_that_json_cannot_carry_passes_the_check(Datatype datatype)
    {
        foreach (var bad in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity })
        {
            foreach (var range in new[] { null, new ValueRange(0, 1) })
            {
                using var set = TensorSet.ForInputs(new ModelSignature([new TensorSpec("x", datatype, [1], range, null)], []));
                set.Tensors[0].SetShape([1]);
                if (datatype == Datatype.Float32)
                    set.Tensors[0].Add((float)bad);
                else
                    set.Tensors[0].Add(bad);
                Assert.NotNull(set.Check());
            }
        }
    }

    [Fact]
    public void What_is_written_is_read_back_for_any_values_and_any_number_of_rows()
    {
        var signature = new ModelSignature(
            [new TensorSpec("d", Datatype.Float64, [-1], null, null), new TensorSpec("i", Datatype.Int32, [-1], null, null), new TensorSpec("s", Datatype.String, [-1], null, null)], []);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(60),
            Prop.ForAll<(double d, int i, NonNull<string> s)[]>(rows =>
            {
                rows = [.. rows.Where(row => double.IsFinite(row.d) && !row.s.Get.Any(char.IsSurrogate)), (0.1, -1, NonNull<string>.NewNonNull("a\"\u0000ü"))];
                using var given = TensorSet.ForInputs(signature);
                foreach (var tensor in given.Tensors)
                    tensor.SetShape([rows.Length]);
                foreach (var (d, i, s) in rows)
                {
                    given.Tensors[0].Add(d);
                    given.Tensors[1].Add(i);
                    given.Tensors[2].Add(s.Get);
                }

                Assert.Null(Read($"[{Write(given.Tensors[2])},{Write(given.Tensors[0])},{Write(given.Tensors[1])}]", signature, out var read));
                Assert.Equal(rows.Select(row => row.d), read.Tensors[0].Values<double>().ToArray());
                Assert.Equal(rows.Select(row => row.i), read.Tensors[1].Values<int>().ToArray());
                Assert.Equal(rows.Select(row => row.s.Get), read.Tensors[2].Strings.ToArray());
            }));
    }

    [Fact]
    public void A_cleared_set_forgets_everything_and_serves_again()
    {
        Assert.Null(Read($$"""[{"name":"distance","shape":[1,2],"datatype":"FP32","data":[1.5,2]},{{Hour}}]""", Flight, out var set));
        set.Clear();
        Assert.Contains("'distance' is missing", set.Check());
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes($"[{Hour}]"));
        reader.Read();
        Assert.Null(TensorJson.Read(ref reader, set));
        Assert.Contains("'distance' is missing", set.Check());
        Assert.Equal(1, set.Tensors[1].Count);
    }

    private static string Write(Tensor tensor)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
            TensorJson.Write(writer, tensor);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}

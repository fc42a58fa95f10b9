/*
 * The cases of the language as the original answers them, in the order of the reference's table.
 */
#include <errno.h>
#include <stdio.h>

#include "hub/expression/expression.h"
#include "symphony/sample.h"

static struct pic_json *value_of(const char *text, const struct pic_expression_context *context)
{
	struct pic_json *value = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_expression_evaluate(text, context, &value, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return value;
}

static const struct pic_expression_context nothing;

static void assert_value(const char *text, const struct pic_expression_context *context,
			 const char *wanted)
{
	PIC_JSON struct pic_json *value = value_of(text, context);
	PIC_JSON struct pic_json *other = NULL;
	PIC_BUF struct pic_buf written = PIC_BUF_INIT(1 << 20);
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_json_parse(&other, wanted, strlen(wanted), &err), 0);
	pic_json_write(value, PIC_JSON_COMPACT, &written);
	if (!pic_json_equal(value, other))
		fail_msg("%s is %s and not %s", text, pic_buf_text(&written), wanted);
}

static void assert_error(const char *text, const struct pic_expression_context *context,
			 const char *why)
{
	struct pic_json *value = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_expression_evaluate(text, context, &value, &err);

	if (r >= 0)
		fail_msg("%s: no error", text);
	assert_null(value);
	assert_contains(err.text, why);
}

static void the_table_of_operators(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "1", "\"1\"" },
		{ "${{1}}", "1" },
		{ "${{1}} ${{2}}", "\"1 2\"" },
		{ "${{ }}", "null" },
		{ "", "null" },
		{ "${{  abc  }}", "\"abc\"" },
		{ "${{abc def}}", "\"abc\"" },
		{ "${{'abc def'}}", "\"abc def\"" },
		{ "${{'abc def'hij}}", "\"abc def\"" },
		{ "${{'abc def}}", "\"'abc def\"" },
		{ "${{'abc def'+' ghi jkl'}}", "\"abc def ghi jkl\"" },
		{ "${{3.abc}}", "\"3.abc\"" },
		{ "${{.}}", "\".\"" },
		{ "${{..}}", "\"..\"" },
		{ "${{+}}", "\"\"" },
		{ "${{++}}", "\"\"" },
		{ "${{+++123}}", "123" },
		{ "${{-}}", "\"\"" },
		{ "${{--}}", "\"-\"" },
		{ "${{---}}", "\"--\"" },
		{ "${{+-}}", "\"\"" },
		{ "${{+--}}", "\"-\"" },
		{ "${{-+-}}", "\"-\"" },
		{ "${{'-'}}", "\"-\"" },
		{ "${{-a}}", "\"-a\"" },
		{ "${{a-}}", "\"a-\"" },
		{ "${{+a}}", "\"a\"" },
		{ "${{a+}}", "\"a\"" },
		{ "${{/}}", "\"/\"" },
		{ "${{//}}", "\"//\"" },
		{ "${{///}}", "\"///\"" },
		{ "${{&}}", "\"&\"" },
		{ "${{&&}}", "\"&&\"" },
		{ "${{\\}}", "\"\\\\\"" },
		{ "${{_}}", "\"_\"" },
		{ "${{/abc/def}}", "\"/abc/def\"" },
		{ "${{/abc/def?parm=tok&foo=bar}}", "\"/abc/def?parm=tok&foo=bar\"" },
		{ "${{http://abc.com:8080/abc/def?parm=tok&foo=bar}}",
		  "\"http://abc.com:8080/abc/def?parm=tok&foo=bar\"" },
		{ "http://abc.com:${{8080+1}}/x", "\"http://abc.com:8081/x\"" },
		{ "${{-1}}", "-1" },
		{ "${{--1}}", "1" },
		{ "${{+-1}}", "-1" },
		{ "${{-+1}}", "-1" },
		{ "${{1+2+3}}", "6" },
		{ "1+2", "\"1+2\"" },
		{ "${{6.3}}", "\"6.3\"" },
		{ "${{6.3 + 3.4}}", "\"6.33.4\"" },
		{ "${{6.3 + 3}}", "\"6.33\"" },
		{ "${{1/2}}", "0.5" },
		{ "${{6.(1+2).(5-1)}}", "\"6.3.4\"" },
		{ "${{1-2}}", "-1" },
		{ "${{1-a}}", "\"1-a\"" },
		{ "${{1-1.2.3}}", "\"1-1.2.3\"" },
		{ "${{3*4}}", "12" },
		{ "${{*}}", "\"*\"" },
		{ "${{**}}", "\"**\"" },
		{ "${{123*}}", "\"123*\"" },
		{ "${{*123}}", "\"*123\"" },
		{ "${{abc**}}", "\"abc**\"" },
		{ "${{10/2}}", "5" },
		{ "${{'10'/2}}", "\"10/2\"" },
		{ "${{5/2+1}}", "3.5" },
		{ "${{5/2+a}}", "\"2.5a\"" },
		{ "${{5/2-5/2}}", "0" },
		{ "${{2.5-2.5}}", "\"2.5-2.5\"" },
		{ "${{2.5*2.5}}", "\"2.5*2.5\"" },
		{ "${{2.5/2.5}}", "\"2.5/2.5\"" },
		{ "${{5/2*5/2}}", "6.25" },
		{ "${{(5/2)/(5/2)}}", "1" },
		{ "${{5/2.}}", "\"2.5.\"" },
		{ "${{2.5.}}", "\"2.5.\"" },
		{ "${{10/-2}}", "-5" },
		{ "${{10/0}}", "\"10/0\"" },
		{ "${{10/2/2}}", "2.5" },
		{ "${{dog+1}}", "\"dog1\"" },
		{ "${{1+cat}}", "\"1cat\"" },
		{ "${{dog+cat}}", "\"dogcat\"" },
		{ "${{crazydogs-dogs}}", "\"crazydogs-dogs\"" },
		{ "${{3-(1+2)/(2+1)}}", "2" },
		{ "${{dog+(32-10/2)}}", "\"dog27\"" },
		{ "${{dog*3}}", "\"dog*3\"" },
		{ "${{3*dog}}", "\"3*dog\"" },
		{ "${{dog*-3}}", "\"dog*-3\"" },
		{ "${{dog/3}}", "\"dog/3\"" },
		{ "${{dog*(5/2)}}", "\"dog*2.5\"" },
		{ "${{'12:24:41 3/8/2023'}}", "\"12:24:41 3/8/2023\"" },
		{ "${{12:24:41 3/8/2023}}", "\"12:24:41/8/2023\"" },
		{ "${{(1+2)*(3+4+5)}}", "36" },
		{ "${{docker.io/redis:6.0.5}}", "\"docker.io/redis:6.0.5\"" },
		{ "${{docker.io/redis:6.0.5 + 678-9}}", "\"docker.io/redis:6.0.5678-9\"" },
		{ "${{0.2.0-20230627.2-develop}}", "\"0.2.0-20230627.2-develop\"" },
		{ "${{~pg~edges~ffr4~adapter~collector-ffr4}}",
		  "\"~pg~edges~ffr4~adapter~collector-ffr4\"" },
		{ "${{'c:\\demo\\A_1.0.9.0\\x.appxbundle'}}",
		  "\"c:\\\\demo\\\\A_1.0.9.0\\\\x.appxbundle\"" },
		{ "${{[{\"containerPort\":9090,\"protocol\":\"TCP\"}]}}",
		  "\"[{\\\"containerPort\\\":9090,\\\"protocol\\\":\\\"TCP\\\"}]\"" },
		{ "${{a}}${{b}}${{c}}", "\"abc\"" },
		{ "${{half-open", "\"${{half-open\"" },
		{ "${x}}", "\"${x}}\"" },
		{ "${{x}", "\"${{x}\"" },
		{ "/api(/|$)(.*)", "\"/api(/|$)(.*)\"" },
		{ "/$2", "\"/$2\"" },
		{ "$.store.books[*]", "\"$.store.books[*]\"" },
		/* beyond the table */
		{ "${{ 'a}}b' }}", "\"a}}b\"" },
		{ "${{\n1\t+\n2 }}", "3" },
		{ "${{abc(1+2)}}", "3" },
		{ "${{007}}", "7" },
		{ "${{9223372036854775807+0}}", "9223372036854775807" },
		{ "x${{}}y", "\"xy\"" },
		{ "${{\xc3\xa4}}", "\"\xc3\xa4\"" },
	};

	for (size_t i = 0; i < PIC_COUNT(cases); i++)
		assert_value(cases[i].text, &nothing, cases[i].wanted);
}

static void errors_are_sentences(void **state)
{
	assert_error("${{${{recursive}}}}", &nothing, "the name of a function has to follow $");
	assert_error("${{$(1)}}", &nothing, "the name of a function has to follow $");
	assert_error("${{$target(a)}}", &nothing, "invalid function name: 'target'");
	assert_error("${{$not()}}", &nothing, "$not() expects 1 arguments, found 0");
	assert_error("${{$in(1)}}", &nothing, "at least 2");
	assert_error("${{$equal(,1)}}", &nothing, "an argument is empty");
	assert_error("${{$equal(1,2}}", &nothing, ") is missing");
	assert_error("${{(1}}", &nothing, ") is missing");
	assert_error("${{[1}}", &nothing, "] is missing");
	assert_error("${{$not(7)}}", &nothing, "neither true nor false");
	assert_error("${{$gt(a,1)}}", &nothing, "a is not a valid number");
	assert_error("${{$gt(nan,1)}}", &nothing, "not a valid number");
	assert_error("${{99999999999999999999}}", &nothing, "too large a number");
	assert_error("${{$instance()}}", &nothing, "no instance");
}

static void what_is_too_much_is_refused(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1 << 20);

	pic_buf_text_add(&text, "${{");
	for (int i = 0; i < 65; i++)
		pic_buf_char(&text, '(');
	pic_buf_text_add(&text, "}}");
	assert_error(pic_buf_text(&text), &nothing, "nested too deeply");
	pic_buf_clear(&text);
	pic_buf_text_add(&text, "${{");
	for (int i = 0; i < 100; i++)
		pic_buf_char(&text, '-');
	pic_buf_text_add(&text, "}}");
	assert_error(pic_buf_text(&text), &nothing, "nested too deeply");
	pic_buf_clear(&text);
	pic_buf_text_add(&text, "${{a");
	for (int i = 0; i < 5000; i++)
		pic_buf_text_add(&text, "+a");
	pic_buf_text_add(&text, "}}");
	assert_error(pic_buf_text(&text), &nothing, "longer than 8192 bytes");
	pic_buf_clear(&text);
	for (int i = 0; i < 70000; i++)
		pic_buf_char(&text, 'a');
	assert_error(pic_buf_text(&text), &nothing, "longer than");
}

static void functions_of_properties(void **state)
{
	PIC_JSON struct pic_json *properties = sample_json(
		"{'foo1':'bar2','location':'edge','foo':'bar','book':'title','n':7,'self':'${{$property(self)}}',"
		"'a':'${{$property(b)}}','b':'text','two':'x${{$property(b)}}'}");
	const struct pic_expression_context context = { .properties = properties,
							.instance = "instance1" };

	assert_value("${{$instance()}}", &context, "\"instance1\"");
	assert_value("${{$equal(123, 123)}}", &context, "true");
	assert_value("${{$equal(123, '123')}}", &context, "true");
	assert_value("${{$equal(bar+2, $property(foo+1))}}", &context, "true");
	assert_value("${{$equal($property(location), 'edge')}}", &context, "true");
	assert_value("${{$equal($property(location), 'cloud')}}", &context, "false");
	assert_error("${{$equal($property(location), 'edge')}}", &nothing,
		     "property of the target");
	assert_error("${{$property(none)}}", &context, "no property of the target \"none\"");
	assert_value("${{$and($equal($property(foo), bar), $equal($property(book), title))}}",
		     &context, "true");
	assert_value("${{$or($equal($property(foo), bar3), $equal($property(foo), bar2))}}",
		     &context, "false");
	assert_value("${{$property(n)+1}}", &context, "8");
	assert_value("${{$property(a)}}", &context, "\"text\"");
	assert_value("${{$property(two)}}", &context, "\"xtext\"");
	assert_error("${{$property(self)}}", &context, "leads to itself");
}

static void values_that_multiply_are_stopped(void **state)
{
	PIC_JSON struct pic_json *properties = pic_json_new_object();
	const struct pic_expression_context context = { .properties = properties };

	for (int c = 'a'; c < 'o'; c++) {
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);
		char key[2] = { (char)c, 0 };

		for (int i = 0; i < 40; i++)
			pic_buf_format(&text, "${{$property(%c)}}", c + 1);
		pic_json_set_text(properties, key, pic_buf_text(&text));
	}
	pic_json_set_text(properties, "o", "");
	assert_error("${{$property(a)}}", &context, "calls more than 10000 functions");
}

static void logic_and_numbers(void **state)
{
	assert_value("${{$not(true)}}", &nothing, "false");
	assert_value("${{$not($not(true))}}", &nothing, "true");
	assert_value("${{$gt(2, 1.0)}}", &nothing, "true");
	assert_value("${{$gt(2,2)}}", &nothing, "false");
	assert_value("${{$ge(2,2)}}", &nothing, "true");
	assert_value("${{$lt(2,3.0)}}", &nothing, "true");
	assert_value("${{$le(2,1)}}", &nothing, "false");
	assert_value("${{$between(2, 1, 3)}}", &nothing, "true");
	assert_value("${{$between(2, 3, 1)}}", &nothing, "false");
	assert_value("${{$in(b, a, b)}}", &nothing, "true");
	assert_value("${{$in(2, 1, '3')}}", &nothing, "false");
	assert_value("${{$if(true, stage-1, stage-2)}}", &nothing, "\"stage-1\"");
	assert_value("${{$and(true, 't')}}", &nothing, "true");
	assert_error("${{$and(1, true)}}", &nothing, "neither true nor false");
}

static void outputs_of_stages(void **state)
{
	PIC_JSON struct pic_json *outputs =
		sample_json("{'foo':{'bar':5,'list':['a',1]},'approval':{'status':200}}");
	PIC_JSON struct pic_json *later = sample_json("{'foo':{'bar':11}}");
	PIC_JSON struct pic_json *inputs = sample_json("{'x':'y'}");
	const struct pic_expression_context context = { .outputs = outputs, .inputs = inputs };
	const struct pic_expression_context other = { .outputs = later };

	assert_value("${{$if($lt($output(foo,bar),10), stage-1, stage-2)}}", &context,
		     "\"stage-1\"");
	assert_value("${{$if($lt($output(foo,bar),10), stage-1, stage-2)}}", &other, "\"stage-2\"");
	assert_value("${{$if($lt($output(foo, bar),5),stage-1, '')}}", &other, "\"\"");
	assert_value("${{$output(foo, list)}}", &context, "[\"a\",1]");
	assert_value("${{$if($equal($output(approval,status), 200),'patch','end')}}", &context,
		     "\"patch\"");
	assert_value("${{$output(foo,bar)}}", &nothing, "\"\"");
	assert_error("${{$output(none,bar)}}", &context, "no output of stage \"none\"");
	assert_error("${{$output(foo,none)}}", &context, "no output \"none\"");
	assert_value("${{$input(x)}}", &context, "\"y\"");
	assert_error("${{$input(x)}}", &nothing, "no input");
	/* only the branch that is taken is evaluated */
	assert_value("${{$if($equal(1,1), a, $output(none,x))}}", &context, "\"a\"");
}

/* A provider that says what it was asked. */
static int say_config(void *data, const char *object, const char *field, struct pic_json **out,
		      struct pic_error *err)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%s%s", object, (const char *)data, field);
	*out = pic_json_new_text(text);
	return 0;
}

static int say_secret(void *data, const char *object, const char *field, struct pic_json **out,
		      struct pic_error *err)
{
	return say_config(">>", object, field, out, err);
}

static void providers_of_configuration(void **state)
{
	const struct pic_expression_context context = { .instance = "instance1",
							.config = say_config,
							.secret = say_secret,
							.ask_data = "::" };

	assert_value("${{$secret(abc,def)}}", &context, "\"abc>>def\"");
	assert_error("${{$secret(abc,def)}}", &nothing, "there is no provider");
	assert_value("${{$secret($secret(a,b)+c, $secret(c,d)+e)+f}}", &context,
		     "\"a>>bc>>c>>def\"");
	assert_error("${{$config(abc)}}", &context, "expects at least 2 arguments, found 1");
	assert_error("${{$config(abc, def)}}", &nothing, "there is no provider");
	assert_value("${{$config(abc*2,def+4)}}", &context, "\"abc*2::def4\"");
	assert_value("${{$config(abc,def),$config(ghi,jkl)}}", &context, "\"abc::def,ghi::jkl\"");
	assert_value("${{$config('abc',\"def\")}}", &context, "\"abc::\\\"def\\\"\"");
	assert_value("${{$config('<' + 'line-config-' + $instance() + '>', \"\")}}", &context,
		     "\"<line-config-instance1>::\\\"\\\"\"");
	assert_error("${{$param(a)}}", &context, "there is no parameter");
	PIC_JSON struct pic_json *parameters = sample_json("{'a':5}");
	const struct pic_expression_context component = { .parameters = parameters };
	assert_value("${{$param(a)}}", &component, "5");
	assert_error("${{$param(b)}}", &component, "no parameter \"b\"");
}

static void values_of_the_context(void **state)
{
	PIC_JSON struct pic_json *six = sample_json("6"), *sixteen = sample_json("16");
	PIC_JSON struct pic_json *map = sample_json("{'foo':{'bar':'baz1'}}");
	PIC_JSON struct pic_json *list =
		sample_json("[{'foo':{'bar':'baz1'}},{'foo':{'bar':'baz2'}},{'n':7}]");
	const struct pic_expression_context a = { .value = six }, b = { .value = sixteen };
	const struct pic_expression_context m = { .value = map }, l = { .value = list };

	assert_value("${{$and($gt($val(),5), $lt($val(),10))}}", &a, "true");
	assert_value("${{$and($gt($val(),5), $lt($val(),10))}}", &b, "false");
	assert_error("${{$val()}}", &nothing, "no value in the context");
	assert_value("${{$val('$.foo.bar')}}", &m, "\"baz1\"");
	assert_value("${{$val('{$.foo.bar}')}}", &m, "\"baz1\"");
	assert_value("${{$val(foo)}}", &m, "{\"bar\":\"baz1\"}");
	assert_value("${{$context(foo)}}", &m, "{\"bar\":\"baz1\"}");
	assert_value("${{$val('$[?(@.foo.bar==\"baz1\")].foo.bar')}}", &l, "\"baz1\"");
	assert_value("${{$val('$[?(@.foo.bar==\"baz1\")].foo.bar')}}", &m, "\"baz1\"");
	assert_value("${{$val('$[?(@.n>=7)].n')}}", &l, "7");
	assert_value("${{$val('$[*].foo.bar')}}", &l, "[\"baz1\",\"baz2\"]");
	assert_value("${{$val('$..bar')}}", &l, "[\"baz1\",\"baz2\"]");
	assert_value("${{$val('$[-1].n')}}", &l, "7");
	assert_error("${{$val('$[?(@.foo.bar==\"baz1\")].foo.bar)'}}", &l, "");
	assert_error("${{$val('$.none')}}", &l, "finds nothing");
	assert_error("${{$val('$[')}}", &l, "cannot be read");
}

static void texts_and_their_codes(void **state)
{
	assert_value("${{$str(-1)}}", &nothing, "\"-1\"");
	assert_value("${{$base64decode(SGVsbG8gV29ybGQh)}}", &nothing, "\"Hello World!\"");
	assert_value("${{$base64encode('Hello World!')}}", &nothing, "\"SGVsbG8gV29ybGQh\"");
	assert_error("${{$base64decode('no!')}}", &nothing, "is not base64");
	assert_value("${{$jsonpath('{\"r\":{\"cpu\":\"100m\"}}', '$.r.cpu')}}", &nothing,
		     "\"100m\"");
	assert_value("${{$jsonpath($json([{\"p\":(100+200)}]), [0].p)}}", &nothing, "300");
	assert_value("${{$jsonpath($json([{\"p\":100+200}]), [0].p)}}", &nothing, "100200");
	assert_error("${{$jsonpath('{', a)}}", &nothing, "");
}

static void inputs_of_the_activation(void **state)
{
	PIC_JSON struct pic_json *triggers = sample_json("{'foo':'bar'}");
	const struct pic_expression_context context = { .triggers = triggers };
	PIC_JSON struct pic_json *round = sample_json("{'a':'${{$input(a)}}'}");
	PIC_JSON struct pic_json *chain = sample_json("{'a':'${{$input(b)}}','b':'text'}");
	const struct pic_expression_context circle = { .inputs = round };
	const struct pic_expression_context other = { .inputs = chain };

	assert_value("${{$trigger(foo, -1)}}", &context, "\"bar\"");
	assert_value("${{$trigger(foo, -1)}}", &nothing, "-1");
	assert_value("${{$trigger(none, -1)}}", &context, "-1");
	assert_error("${{$trigger(foo)}}", &context, "expects 2 arguments, found 1");
	assert_error("${{$input(a)}}", &circle, "circular dependency");
	assert_value("${{$input(a)}}", &other, "\"text\"");
}

static void collect(void *data, const char *text)
{
	strcat(strcat(data, text), "|");
}

static void what_an_expression_can_be(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "patch", "patch|" },
		{ "", "|" },
		{ "${{$if($equal($output(approval,status), 200),'patch','end')}}", "patch|end|" },
		{ "${{$if($lt($output(foo,bar),10), stage-1, $if(true, stage-2, ''))}}",
		  "stage-1|stage-2||" },
		{ "${{$output(a,next)}}", "" },
		{ "${{$if(true, a+$str(b), c)}}", "c|" },
		{ "x${{a}}", "" },
	};

	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		struct pic_error err = PIC_ERROR_INIT;
		char found[256] = "";

		assert_int_equal(pic_expression_branches(cases[i].text, collect, found, &err), 0);
		assert_string_equal(found, cases[i].wanted);
	}
}

static void trees_are_evaluated_inside(void **state)
{
	PIC_JSON struct pic_json *tree = sample_json(
		"{'a':'${{1+1}}','b':['x','${{$instance()}}',{'c':'${{ }}'}],'d':1.50}");
	const struct pic_expression_context context = { .instance = "i" };
	PIC_JSON struct pic_json *value = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_expression_evaluate_tree(tree, &context, &value, &err), 0);
	assert_json_equal(value, "{'a':2,'b':['x','i',{'c':null}],'d':1.50}");
	assert_json_equal(pic_json_get(tree, "a"), "'${{1+1}}'");

	PIC_JSON struct pic_json *bad = sample_json("{'p':{'url':'${{$none()}}'}}");
	struct pic_json *untouched = NULL;

	assert_int_equal(pic_expression_evaluate_tree(bad, &context, &untouched, &err), -EINVAL);
	assert_null(untouched);
	assert_string_equal(err.text, "url: invalid function name: 'none'");
}

static void truth(void **state)
{
	PIC_JSON struct pic_json *yes = pic_json_new_bool(true), *text = pic_json_new_text("true");
	PIC_JSON struct pic_json *no = pic_json_new_bool(false), *one = pic_json_new_integer(1);

	assert_true(pic_expression_is_true(yes));
	assert_true(pic_expression_is_true(text));
	assert_false(pic_expression_is_true(no));
	assert_false(pic_expression_is_true(one));
	assert_false(pic_expression_is_true(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_operators),
		cmocka_unit_test(errors_are_sentences),
		cmocka_unit_test(what_is_too_much_is_refused),
		cmocka_unit_test(functions_of_properties),
		cmocka_unit_test(values_that_multiply_are_stopped),
		cmocka_unit_test(logic_and_numbers),
		cmocka_unit_test(outputs_of_stages),
		cmocka_unit_test(providers_of_configuration),
		cmocka_unit_test(values_of_the_context),
		cmocka_unit_test(texts_and_their_codes),
		cmocka_unit_test(inputs_of_the_activation),
		cmocka_unit_test(what_an_expression_can_be),
		cmocka_unit_test(trees_are_evaluated_inside),
		cmocka_unit_test(truth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
